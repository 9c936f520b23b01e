import { Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { RpcSerialization } from "effect/rpc"
import * as HttpProtocol from "./HttpProtocol.ts"
import { maxMessageBytes } from "./limits.ts"
import { type OfTenant, ofTenant } from "./ofTenant.ts"
import * as TapestryClient from "./TapestryClient.ts"

/**
 * Over HTTP (`http://host:7070/rpc`), a request a call, in JSON lines. Needs nothing but the platform's `fetch`, so it works in a
 * browser too. For many small calls a socket is ten times faster.
 */
export const layer = (options: OfTenant & { readonly url: string }): Layer.Layer<TapestryClient.TapestryClient> =>
  TapestryClient.layer.pipe(
    Layer.provide(ofTenant(options)(HttpProtocol.layer({ url: options.url }))),
    Layer.provide(RpcSerialization.layerNdjsonWith({ maxBufferSize: maxMessageBytes })),
    Layer.provide(FetchHttpClient.layer)
  )
