/** The Maintenance of another process, over the RPC: of the owner of a data directory, most of all. */
import { Effect, Layer, Stream } from "effect"
import { Maintenance, MaintenanceError, MaintenanceUnavailable } from "../../services/Maintenance.ts"
import type { TellsUpkeep, UpkeepProgress } from "../../services/ProvenanceStore.ts"
import { type CallError, isPassing } from "./callError.ts"
import { TapestryClient } from "./TapestryClient.ts"

const asServiceError = (error: CallError<MaintenanceError>): MaintenanceError =>
  error._tag === "MaintenanceError"
    ? error
    : new MaintenanceError({ reason: new MaintenanceUnavailable({ again: isPassing(error), message: error.message }) })

type Event<A> = ({ readonly _tag: "Progress" } & UpkeepProgress) | { readonly _tag: "Done"; readonly report: A }

/** Passes progress on and waits for the report. */
const reported = Effect.fnUntraced(function* <A>(
  events: Stream.Stream<Event<A>, CallError<MaintenanceError>>,
  progress: TellsUpkeep = () => Effect.void
) {
  let report: A | null = null
  yield* Stream.runForEach(events, (event) => {
    if (event._tag === "Progress") return progress(event)
    report = event.report
    return Effect.void
  }).pipe(Effect.mapError(asServiceError))
  if (report !== null) return report
  return yield* new MaintenanceError({
    reason: new MaintenanceUnavailable({ again: false, message: "the call ended without an answer" })
  })
})

const make = Effect.gen(function* () {
  const client = yield* TapestryClient
  return Maintenance.of({
    gc: (options, progress) => reported(client["Archive.gc"](options), progress),
    compact: (progress) => reported(client["Archive.compact"](), progress)
  })
})

export const layer: Layer.Layer<Maintenance, never, TapestryClient> = Layer.effect(Maintenance, make)
