/** Clients of a Tapestry server: one Layer a transport, all with the contract's types and errors. */
export { asAdmin } from "./rpc/client/asAdmin.ts"
export * as HttpClient from "./rpc/client/HttpClient.ts"
export * as RemoteMarketStreams from "./rpc/client/RemoteMarketStreams.ts"
export * as RemoteStitchingCache from "./rpc/client/RemoteStitchingCache.ts"
export { TapestryClient } from "./rpc/client/TapestryClient.ts"
export * as TcpClient from "./rpc/client/TcpClient.ts"
export * as UnixClient from "./rpc/client/UnixClient.ts"
export * as WebSocketClient from "./rpc/client/WebSocketClient.ts"
