/** The MarketStreams of another process, over the RPC: of the owner of a data directory, most of all. */
import { Effect, Layer, Pull, Stream } from "effect"
import { MarketStreams, MarketStreamsError, StreamsUnavailable } from "../../services/MarketStreams.ts"
import { type CallError, isPassing } from "./callError.ts"
import { TapestryClient } from "./TapestryClient.ts"

const asServiceError = (error: CallError<MarketStreamsError>): MarketStreamsError => {
  if (error._tag === "MarketStreamsError") return error
  const message =
    error._tag === "RpcClientError"
      ? `the process that these streams come from went away or cannot be reached (${error.message}); subscribe again`
      : error.message
  return new MarketStreamsError({ reason: new StreamsUnavailable({ again: isPassing(error), message }) })
}

const told = Effect.mapError(asServiceError)

const make = Effect.gen(function* () {
  const client = yield* TapestryClient
  const keys: MarketStreams["Service"]["keys"] = (selection) => told(client["Streams.keys"](selection))
  const items: MarketStreams["Service"]["items"] = (selection, { policy } = {}) =>
    Stream.mapError(
      client["Streams.subscribe"]({ ...selection, ...(policy === undefined ? {} : { policy }) }),
      asServiceError
    )
  return MarketStreams.of({
    keys,
    items,
    subscribe: Effect.fnUntraced(function* (selection, options) {
      const known = yield* keys(selection)
      const pull = yield* Stream.toPull(items(selection, options))
      return { keys: known, take: Pull.catchDone(pull, () => Effect.succeed([])) }
    }),
    states: told(client["Streams.states"]())
  })
})

export const layer: Layer.Layer<MarketStreams, never, TapestryClient> = Layer.effect(MarketStreams, make)
