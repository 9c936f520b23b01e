/**
 * Jobs of the type `stream-repair`: rows that a live stream left out, or that nobody has listened to, fetched from the vendor's history into the
 * store through the stitching cache. What the store is known to have is not asked for, and what somebody else is asking for is waited for.
 *
 * Hard cases: a range that has just ended (it is waited until the history has it); a job that is begun again goes on behind the pages that
 * were archived. A part that cannot be had fails the attempt, when what could be had is stored.
 */
import { Clock, Duration, Effect, Layer, Schema } from "effect"
import type { CoverageInterval } from "../../domain/Coverage.ts"
import { type JobOutcome, nothingDone } from "../../domain/Job.ts"
import { isTickSeries } from "../../domain/records/TickSeries.ts"
import { StreamRepair, streamRepairType } from "../../domain/streams/StreamRepair.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { InvalidJob, type JobEnding, JobFailure, JobQueue, type JobType } from "../../services/JobQueue.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { StitchingCache, type TickAnswer } from "../../services/StitchingCache.ts"
import { holesIn } from "../jobs/backfill/holes.ts"
import { asJobFailure, waitOf } from "../jobs/backfill/passing.ts"

const decode = Schema.decodeUnknownEffect(StreamRepair)

const readPayload = (payload: Schema.Json) =>
  Effect.mapError(
    decode(payload, { onExcessProperty: "error" }),
    (error) => new InvalidJob({ message: `the payload of a stream repair: ${error.message}` })
  )

const failed = ({ message }: { readonly message: string }) => new JobFailure({ message, passing: false })

/** Milliseconds that a job waits for the history of a range that has just ended. */
const longestWait = 60_000

/** Holes that the outcome of a job names. */
const named = 50

const make = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  const archive = yield* ProvenanceStore
  const cache = yield* StitchingCache

  /** In the vendor's own words where the archive has them. */
  const why = Effect.fnUntraced(function* ({ state }: CoverageInterval) {
    switch (state._tag) {
      case "NotEntitled":
      case "NotFound": {
        const response = yield* Effect.orElseSucceed(archive.response(state.response), () => null)
        return response?.cause ?? state._tag
      }
      case "Missing":
        return state.cause?.message ?? "it was not asked for"
      case "Throttled":
        return state.cause ?? "the vendor's budget is spent"
      default:
        return state._tag
    }
  })

  const ending = Effect.fnUntraced(function* (
    { stream }: StreamRepair,
    answer: Pick<TickAnswer, "coverage" | "rowCount" | "rowsFromVendor" | "requests">
  ): Effect.fn.Return<JobEnding> {
    const holes = holesIn(answer.coverage, [])
    const outcome: JobOutcome = {
      ...nothingDone,
      rows: answer.rowsFromVendor,
      rowsStored: answer.rowCount,
      requests: answer.requests,
      holes: holes.slice(0, named).map((interval) => ({ symbol: stream.symbol, interval })),
      holeCount: holes.length
    }
    const [first] = holes
    if (first === undefined) return { outcome }
    const waits = holes.map(({ state }) => waitOf(state)).filter((wait) => wait !== null)
    const message = `${holes.length} part(s) of what ${stream.symbol} left out could not be had: ${yield* why(first)}`
    return waits.length === 0
      ? { outcome, failure: { message, passing: false } }
      : { outcome, failure: { message, passing: true, retryAfter: Math.max(...waits) } }
  })

  const type: JobType = {
    name: streamRepairType,
    read: Effect.fnUntraced(function* (payload) {
      const { range, stream } = yield* readPayload(payload)
      return { provider: stream.vendor, mode: "backfill", symbols: [stream.symbol], range }
    }),
    run: Effect.fn("StreamRepair.run")(function* ({ job, progress }) {
      const wanted = yield* Effect.mapError(readPayload(job.payload), failed)
      const { stream: key, range } = wanted
      const { stream } = yield* Effect.mapError(registry.streamer(key.vendor), failed)
      const history = stream.history(key)
      const series = history?._tag === "series" ? history.series : stream.series(key)
      if (history === null || history._tag === "told" || series === null) {
        return yield* new JobFailure({ message: `${key.vendor} has no history of ${key.kind}`, passing: false })
      }
      const options = {
        onMissing: "partial",
        progress: ({ done, of, rows }) => progress({ done, of, rows, requests: done })
      } as const satisfies Parameters<typeof cache.read>[1]
      if (!isTickSeries(series)) {
        const answer = yield* Effect.mapError(cache.read({ series, range }, options), asJobFailure)
        return yield* ending(wanted, answer)
      }
      const now = yield* Clock.currentTimeMillis
      const ready = range.end + history.overlap + history.delay
      if (ready - now > longestWait) {
        return yield* new JobFailure({ message: `${key.symbol} has no history of what is to come`, passing: false })
      }
      yield* Effect.sleep(Duration.millis(Math.max(0, ready - now)))
      const answer = yield* Effect.mapError(cache.ticks({ series, range }, options), asJobFailure)
      return yield* ending(wanted, answer)
    })
  }

  const queue = yield* JobQueue
  yield* queue.register(type)
})

export const layer = Layer.effectDiscard(make)
