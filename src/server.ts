/**
 * Serving an embedded Tapestry: `serve({ product, http, tcp, socket })` over the services of `Tapestry.layer`, for as long as its
 * scope lives. Closing the scope drains: calls under way have 10 seconds, and a balancer that asks /readyz is told.
 */

export * as AdminToken from "./rpc/handlers/AdminToken.ts"
export { ListenError } from "./rpc/server/ListenError.ts"
export { type HostState, RpcHost } from "./rpc/server/RpcHost.ts"
export { type Addresses, type HostPort, type ServedOptions, serve } from "./rpc/server/Served.ts"
