/** A topic with the fibers that serve it, until the scope closes. */
import { Clock, Deferred, Effect, FiberHandle, type Scope } from "effect"
import type { JobSpec } from "../../domain/Job.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { Rejected } from "../../services/Adapter.ts"
import type { AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import { type RepairBounds, type RepairDeps, repair } from "./repair.ts"
import { jobOf } from "./repairJob.ts"
import type { Tally } from "./Tally.ts"
import { Topic } from "./Topic.ts"
import type { Turns } from "./Turns.ts"
import { type Ended, keepOpen, type ReopenPauses, type Streamer } from "./upstream.ts"

/** What topics of one MarketStreams share. */
export interface TopicContext {
  /** The vendor of a stream, as it has that. */
  readonly streamer: (key: StreamKey) => Effect.Effect<Streamer, AdapterRegistryError>
  readonly repairs: RepairDeps
  readonly turns: Turns
  readonly bounds: RepairBounds
  readonly pauses: ReopenPauses
  readonly held: number
  readonly tallyOf: (key: StreamKey) => Effect.Effect<Tally>
  /** Says in the log that something of ours failed. */
  readonly report: (what: string, defect: unknown) => void
  /** Has a job queued, and does not wait for it. */
  readonly enqueue: (job: JobSpec) => void
}

/** `ended` is run when there is no use in keeping it open any more. */
export const openTopic = Effect.fnUntraced(function* (
  context: TopicContext,
  key: StreamKey,
  ended: Effect.Effect<void>
): Effect.fn.Return<Topic, AdapterRegistryError, Scope.Scope> {
  const { streamer, turns } = context
  const adapter = yield* streamer(key)
  const clock = yield* Clock.Clock
  const history = adapter.stream.history(key)
  const stored = history !== null && adapter.stream.series(key) !== null
  const filling = yield* FiberHandle.makeRuntime<never>()
  const end: { current: Deferred.Deferred<Ended> } = { current: Deferred.makeUnsafe() }
  const tally = yield* context.tallyOf(key)
  const topic: Topic = new Topic(
    {
      key,
      history,
      lateness: adapter.stream.lateness,
      held: context.held,
      tally,
      turns,
      now: () => clock.currentTimeMillisUnsafe()
    },
    {
      fill: (range) => {
        if (history === null || history._tag === "told") return
        const known = topic.forgotten + 1
        const fill = repair(context.repairs, adapter, key, history, range, known, context.bounds)
        filling(Effect.scoped(Effect.map(fill, (filled) => topic.filled(filled))))
      },
      stopFilling: () => {
        filling(Effect.void)
      },
      later: (range: TimeRange) => {
        if (!stored) return null
        const job = jobOf(key, range)
        context.enqueue(job)
        return job.key
      },
      broke: (defect) => {
        context.report(`a stream of ${key.kind} of ${key.vendor} failed`, defect)
        const cause = new Rejected({ message: "what it sent could not be worked off" })
        Deferred.doneUnsafe(end.current, Effect.succeed({ cause, retryable: false }))
      },
      ended: ({ cause, retryable }) => {
        Deferred.doneUnsafe(end.current, Effect.succeed({ cause, retryable }))
      }
    }
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => topic.close(true, "nobody keeps this stream open any more")))
  yield* keepOpen(streamer(key), key, topic, end, context.pauses).pipe(Effect.andThen(ended), Effect.forkScoped)
  return topic
})
