/**
 * Jobs of the type `stream-repair`: rows that a live stream left out, or that nobody has listened to, fetched from the vendor's history into the
 * store. What the store is known to have is not asked for.
 *
 * Hard cases: a range that has just ended (it is waited until the history has it); a job that is begun again finds the pages that it had in the archive, and committing them again changes nothing. A page that
 * cannot be had fails the attempt when those before it are stored.
 */
import { Clock, Duration, Effect, Layer, Schema, Stream } from "effect"
import { isComplete } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import { type JobOutcome, nothingDone } from "../../domain/Job.ts"
import { isRecordSeries, type RecordSeries } from "../../domain/records/RecordKind.ts"
import { StreamRepair, streamRepairType } from "../../domain/streams/StreamRepair.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { IngestSession } from "../../services/IngestSession.ts"
import { InvalidJob, type JobEnding, JobFailure, JobQueue, type JobType } from "../../services/JobQueue.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { holesIn } from "../jobs/backfill/holes.ts"
import { asJobFailure, isPassing, waitOf } from "../jobs/backfill/passing.ts"
import { type ArchivedPage, historyPages } from "./historyPages.ts"

const decode = Schema.decodeUnknownEffect(StreamRepair)

const readPayload = (payload: Schema.Json) =>
  Effect.mapError(
    decode(payload, { onExcessProperty: "error" }),
    (error) => new InvalidJob({ message: `the payload of a stream repair: ${error.message}` })
  )

const failed = ({ message }: { readonly message: string }) => new JobFailure({ message, passing: false })

/** The store may be had later. */
const asStoreFailure = ({ message }: MarketStoreError) => new JobFailure({ message, passing: true })

/** Milliseconds that a job waits for the history of a range that has just ended. */
const longestWait = 60_000

const make = Effect.gen(function* () {
  const market = yield* MarketStore
  const registry = yield* AdapterRegistry
  const ingest = yield* IngestSession
  const records = yield* RecordStore
  const cache = yield* StitchingCache

  const bars = Effect.fnUntraced(function* (
    { range, stream }: StreamRepair,
    series: Parameters<typeof cache.read>[0]["series"]
  ): Effect.fn.Return<JobEnding, JobFailure> {
    const answer = yield* cache.read({ series, range }, { onMissing: "partial" }).pipe(Effect.mapError(asJobFailure))
    const holes = holesIn(answer.coverage, [])
    const outcome: JobOutcome = {
      ...nothingDone,
      rows: answer.rowsFromVendor,
      rowsStored: answer.rowCount,
      requests: answer.requests,
      holes: holes.slice(0, 50).map((interval) => ({ symbol: stream.symbol, interval })),
      holeCount: holes.length
    }
    if (holes.length === 0) return { outcome }
    const waits = holes.map(({ state }) => waitOf(state)).filter((wait) => wait !== null)
    const message = `${holes.length} part(s) of what ${stream.symbol} left out could not be had`
    return waits.length === 0
      ? { outcome, failure: { message, passing: false } }
      : { outcome, failure: { message, passing: true, retryAfter: Math.max(...waits) } }
  })

  const commit = Effect.fnUntraced(function* (
    { page, response }: ArchivedPage,
    series: RecordSeries,
    decoderVersion: number
  ) {
    const { proves, rows } = page
    const result = yield* records.commit({
      series,
      response: response.id,
      askedAt: response.askedAt,
      fetchedAt: response.fetchedAt,
      decoderVersion,
      rows: rows as never,
      positions: rows.map((_, index) => index),
      coverage: proves === null ? [] : [{ ...proves, state: { _tag: "Covered", response: response.id } }]
    })
    return result.inserted + result.updated
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
      const series = stream.series(key)
      if (history === null || history._tag === "told" || series === null) {
        return yield* new JobFailure({ message: `${key.vendor} has no history of ${key.kind}`, passing: false })
      }
      if (history._tag === "series") return yield* bars(wanted, history.series)
      if (!isRecordSeries(series)) {
        return yield* new JobFailure({ message: `${key.kind} are not stored as they are asked for`, passing: false })
      }
      const now = yield* Clock.currentTimeMillis
      const ready = range.end + history.overlap + history.delay
      if (ready - now > longestWait) {
        return yield* new JobFailure({ message: `${key.symbol} has no history of what is to come`, passing: false })
      }
      yield* Effect.sleep(Duration.millis(Math.max(0, ready - now)))
      const known = yield* Effect.mapError(market.coverage(series, range), asStoreFailure)
      const missing = Intervals.subtract(
        [range],
        known.filter(({ state }) => isComplete(state))
      )
      let requests = 0
      let stored = 0
      for (const part of missing) {
        const first = yield* Effect.mapError(history.request(part), failed)
        yield* historyPages(ingest, key.vendor, history, part, first, 0, series).pipe(
          Stream.runForEach((archived) =>
            Effect.gen(function* () {
              stored += yield* commit(archived, series, history.decoderVersion)
              requests++
              yield* progress({ done: requests, of: 0, rows: stored, requests })
            })
          ),
          Effect.mapError((error) => new JobFailure({ message: error.message, passing: isPassing(error.reason) }))
        )
      }
      const rows = yield* Effect.mapError(records.count(series, range), asStoreFailure)
      return { outcome: { ...nothingDone, rows: stored, rowsStored: rows, requests } }
    })
  }

  const queue = yield* JobQueue
  yield* queue.register(type)
})

export const layer = Layer.effectDiscard(make)
