/** Clients of a Tapestry server for Node: one Layer a transport, all with the contract's types and errors. */
export { TapestryClient } from "./rpc/client/TapestryClient.ts"
