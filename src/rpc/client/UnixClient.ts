import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Layer } from "effect"
import { RpcSerialization } from "effect/rpc"
import { maxMessageBytes, openTimeout } from "./limits.ts"
import { type OfTenant, ofTenant } from "./ofTenant.ts"
import * as SocketProtocol from "./SocketProtocol.ts"
import * as TapestryClient from "./TapestryClient.ts"

/**
 * Over a Unix socket, in JSON lines: the way to the owner of a data directory on the same machine. The connection is opened by the
 * first call, and by the first after it was lost.
 */
export const layer = (options: OfTenant & { readonly path: string }): Layer.Layer<TapestryClient.TapestryClient> =>
  TapestryClient.layer.pipe(
    Layer.provide(ofTenant(options)(SocketProtocol.layer(NodeSocket.makeNet({ path: options.path, openTimeout })))),
    Layer.provide(RpcSerialization.layerNdjsonWith({ maxBufferSize: maxMessageBytes }))
  )
