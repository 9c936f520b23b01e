import { Context, Effect, Layer } from "effect"
import { RpcClient, type RpcClientError, type RpcGroup } from "effect/rpc"
import { TapestryRpcs } from "../contract/TapestryRpcs.ts"

/**
 * A Tapestry server, one method a procedure: `client["Series.bars"]({ series, range })`. Every call fails with the errors of its
 * procedure, those of the border, or RpcClientError when the connection cannot be had or breaks; the next call finds a new
 * connection.
 */
export class TapestryClient extends Context.Service<
  TapestryClient,
  RpcClient.RpcClient<RpcGroup.Rpcs<typeof TapestryRpcs>, RpcClientError.RpcClientError>
>()("tapestry/TapestryClient") {}

/** Over whatever protocol is provided. */
export const layer: Layer.Layer<TapestryClient, never, RpcClient.Protocol> = Layer.effect(
  TapestryClient,
  Effect.suspend(() => RpcClient.make(TapestryRpcs, { disableTracing: true }))
)
