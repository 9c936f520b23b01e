/**
 * Carries the requests of one plan to the vendor, through the archive, into the store.
 *
 * Responsibilities: one audited session for the plan, at most `limits.concurrency` of its requests under way, and a landing
 * for every flight, whatever happens. It runs in a fiber of the layer, not of the reader: others may wait for its flights too.
 *
 * Hard cases: an abandoned flight is interrupted while it waits for the quota or the vendor, but from the moment its answer is
 * archived it goes on until the rows are committed. Bytes that cannot be read, or that were applied before and do not cover this
 * range (invalidated or run out since, or applied for another range by a vendor who is asked the same for both), are not asked
 * of the archive in a loop: the vendor is asked once more, at once or, for the unreadable, when they are as old as a refusal is
 * believed.
 */
import { Clock, Deferred, Effect, Result } from "effect"
import { isFresh } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { CacheMode } from "../../domain/Request.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { VendorError } from "../../services/Adapter.ts"
import type { FetchedPayload, IngestSession, OpenIngestSession } from "../../services/IngestSession.ts"
import type { GenerationId, MarketStore, MarketStoreError } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { type Failure, isOurs, unwrap } from "./failure.ts"
import { type BarSeries, type Fetcher, project } from "./project.ts"
import { refetchTag } from "./refetchTag.ts"
import { type Flight, type Landing, land, type SeriesDesk } from "./SeriesDesk.ts"

export interface FlightContext {
  readonly archive: ProvenanceStore["Service"]
  readonly ingest: IngestSession["Service"]
  readonly market: MarketStore["Service"]
  readonly desk: SeriesDesk
  readonly series: BarSeries
  readonly fetcher: Fetcher
  /** Where the rows go when not into the series that readers see. */
  readonly generation?: GenerationId
}

const cacheModeOf = (flight: Flight): CacheMode =>
  flight.bypass
    ? { _tag: "bypass" }
    : flight.notBefore === null
      ? { _tag: "default", ttl: null }
      : { _tag: "maxAge", notBefore: flight.notBefore }

const fly = Effect.fnUntraced(function* (context: FlightContext, session: OpenIngestSession, flight: Flight) {
  const { archive, desk, fetcher, generation, market, series } = context
  const { range } = flight
  const request = yield* fetcher.fetch.request(series.key, range)

  const isCovered = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const coverage = yield* market.coverage(series.key, range, generation === undefined ? {} : { generation })
    const fresh = Intervals.mergeNear(
      coverage.filter((interval) => isFresh(interval.state, now)),
      0
    )
    return fresh.length === 1 && fresh[0]?.start === range.start && fresh[0].end === range.end
  })

  /**
   * What an answer was asked for. The same question may have been asked for another range before: then that is what the answer
   * is applied for, now as by every later reading of the archive.
   */
  const askedFor = Effect.fnUntraced(function* ({ response, served }: FetchedPayload) {
    if (served === "vendor") return { range, request }
    const archived = yield* archive.request(response.request)
    return archived.subject?.series !== series.text || sameRange(archived.subject.range, range)
      ? { range, request }
      : { range: archived.subject.range, request: archived }
  })

  const once = (cacheMode: CacheMode) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const answer = yield* restore(
          session.ask(request, {
            cacheMode,
            subject: { series: series.text, range },
            cacheTag: generation === undefined ? null : refetchTag
          })
        )
        const asked = yield* askedFor(answer)
        const projected = yield* Effect.result(project(market, fetcher, series, { ...answer, ...asked }, generation))
        // What this machine could not store is tried again by the next plan; everything else needs no second look.
        if (Result.isSuccess(projected) || !isOurs(projected.failure)) desk.settled.add(answer.response.id)
        return { answer, projected, elsewhere: asked.range !== range }
      })
    )

  const { answer, elsewhere, projected } = yield* once(cacheModeOf(flight))
  const first = landing(answer, projected)
  const isOld = answer.response.askedAt + fetcher.limits.refusalFor <= (yield* Clock.currentTimeMillis)
  const again = Result.isSuccess(projected)
    ? (elsewhere || projected.success.result.alreadyApplied) && !(yield* isCovered)
    : answer.served === "archive" && isOld
  if (!again) return first
  const second = yield* once({ _tag: "bypass" })
  const { calls, joined, ...rest } = landing(second.answer, second.projected)
  return { ...rest, calls: first.calls + calls, joined: first.joined + joined }
})

const sameRange = (a: TimeRange, b: TimeRange): boolean => a.start === b.start && a.end === b.end

const landing = (
  { served }: FetchedPayload,
  projected: Result.Result<{ readonly rows: number; readonly rejected: number }, VendorError | MarketStoreError>
): Landing => ({
  rows: Result.isSuccess(projected) ? projected.success.rows : 0,
  rejected: Result.isSuccess(projected) ? projected.success.rejected : 0,
  calls: served === "vendor" ? 1 : 0,
  joined: served === "flight" ? 1 : 0,
  failure: Result.isSuccess(projected) ? null : unwrap(projected.failure)
})

/** What became of a flight whose answer never came; the failure says whether the vendor was asked. */
const lost = (failure: Failure): Landing => ({
  rows: 0,
  rejected: 0,
  calls: failure._tag === "VendorError" && failure.reason._tag !== "Unsupported" ? 1 : 0,
  joined: 0,
  failure
})

/** Runs the flights until each has landed. Ends interrupted when one was abandoned, so that the session says so. */
export const runFlights = Effect.fnUntraced(
  function* (context: FlightContext, flights: ReadonlyArray<Flight>) {
    const { desk, fetcher, ingest } = context
    let abandoned = 0
    const session = yield* ingest.open({ source: fetcher.name, mode: flights.length > 1 ? "batch" : "sync" })
    const board = (flight: Flight) =>
      fly(context, session, flight).pipe(
        Effect.catch((error) => Effect.succeed(lost(unwrap(error)))),
        Effect.raceFirst(
          Effect.flatMap(Deferred.await(flight.abandoned), () => {
            abandoned++
            return Effect.interrupt
          })
        ),
        Effect.onExit((exit) => Effect.sync(() => land(desk, flight, exit))),
        Effect.exit
      )
    yield* Effect.forEach(flights, board, { concurrency: fetcher.limits.concurrency, discard: true })
    if (abandoned > 0) yield* Effect.interrupt
  },
  (running, { desk }, flights) =>
    running.pipe(
      Effect.scoped,
      Effect.catch((error) => Effect.sync(() => landRest(desk, flights, Effect.succeed(lost(unwrap(error)))))),
      Effect.ensuring(Effect.sync(() => landRest(desk, flights, Effect.interrupt)))
    )
)

const landRest = (desk: SeriesDesk, flights: ReadonlyArray<Flight>, landing: Effect.Effect<Landing>): void => {
  for (const flight of flights) if (!Deferred.isDoneUnsafe(flight.landed)) land(desk, flight, landing)
}
