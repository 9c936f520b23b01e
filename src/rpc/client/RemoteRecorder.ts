/**
 * The Recorder of another process, over the RPC: of the owner of a data directory, most of all.
 *
 * Hard cases: `until` is done before the other process has said which session it is (it is told as soon as it has); a connection that breaks
 * ends the recording there in order, and here with RecorderUnavailable.
 */
import { Deferred, Effect, Layer, Stream } from "effect"
import { Recorder, RecorderError, RecorderUnavailable } from "../../services/Recorder.ts"
import { type CallError, isPassing } from "./callError.ts"
import { TapestryClient } from "./TapestryClient.ts"

const asServiceError = (error: CallError<RecorderError>): RecorderError => {
  if (error._tag === "RecorderError") return error
  const message =
    error._tag === "RpcClientError"
      ? `the process that records went away or cannot be reached (${error.message})`
      : error.message
  return new RecorderError({ reason: new RecorderUnavailable({ again: isPassing(error), message }) })
}

const make = Effect.gen(function* () {
  const client = yield* TapestryClient
  const end = (session: number) => Effect.orElseSucceed(client["Streams.endRecording"]({ session }), () => false)
  return Recorder.of({
    end,
    record: (selection, { segmentAge, until = Effect.never } = {}) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const session = yield* Deferred.make<number>()
          const ending = Effect.andThen(until, Effect.flatMap(Deferred.await(session), end))
          yield* Effect.forkScoped(ending, { startImmediately: true })
          return client["Streams.record"]({ ...selection, ...(segmentAge === undefined ? {} : { segmentAge }) }).pipe(
            Stream.tap((event) => (event._tag === "Began" ? Deferred.succeed(session, event.session) : Effect.void)),
            Stream.mapError(asServiceError)
          )
        })
      )
  })
})

export const layer: Layer.Layer<Recorder, never, TapestryClient> = Layer.effect(Recorder, make)
