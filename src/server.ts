/** Serving an embedded Tapestry: the handlers, and a listener a transport. */

export { ServerInfo } from "./rpc/handlers/ServerInfo.ts"
export { RpcHost } from "./rpc/server/RpcHost.ts"
