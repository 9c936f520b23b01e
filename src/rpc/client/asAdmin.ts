import { type Effect, Redacted } from "effect"
import { RpcClient } from "effect/rpc"

/** Sends the admin token of a server with the calls that an effect makes; needed for those of the group Admin. */
export const asAdmin =
  (token: Redacted.Redacted) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    RpcClient.withHeaders(effect, { authorization: `Bearer ${Redacted.value(token)}` })
