import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Layer } from "effect"
import { RpcSerialization } from "effect/rpc"
import { maxMessageBytes, openTimeout } from "./limits.ts"
import { type OfTenant, ofTenant } from "./ofTenant.ts"
import * as SocketProtocol from "./SocketProtocol.ts"
import * as TapestryClient from "./TapestryClient.ts"

/** Over TCP, in JSON lines. The connection is opened by the first call, and by the first after it was lost. */
export const layer = (
  options: OfTenant & { readonly host: string; readonly port: number }
): Layer.Layer<TapestryClient.TapestryClient> =>
  TapestryClient.layer.pipe(
    Layer.provide(
      ofTenant(options)(
        SocketProtocol.layer(NodeSocket.makeNet({ host: options.host, port: options.port, noDelay: true, openTimeout }))
      )
    ),
    Layer.provide(RpcSerialization.layerNdjsonWith({ maxBufferSize: maxMessageBytes }))
  )
