import { Effect, Layer } from "effect"
import { RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { maxMessageBytes, openTimeout } from "./limits.ts"
import { type OfTenant, ofTenant } from "./ofTenant.ts"
import * as SocketProtocol from "./SocketProtocol.ts"
import * as TapestryClient from "./TapestryClient.ts"

/**
 * Over a WebSocket (`ws://host:7070/rpc`), in binary: the fastest. Needs nothing but the platform's WebSocket, so it works in a
 * browser too. The connection is opened by the first call, and by the first after it was lost.
 */
export const layer = (options: OfTenant & { readonly url: string }): Layer.Layer<TapestryClient.TapestryClient> =>
  TapestryClient.layer.pipe(
    Layer.provide(
      ofTenant(options)(
        SocketProtocol.layer(
          Socket.makeWebSocket(options.url, { openTimeout }).pipe(
            Effect.provide(Socket.layerWebSocketConstructorGlobal)
          )
        )
      )
    ),
    Layer.provide(RpcSerialization.layerSchemaBinary({ maxFrameSize: maxMessageBytes }))
  )
