/**
 * Carries the requests of one plan to the vendor, through the archive, into the store.
 *
 * Responsibilities: one audited session for the plan, at most `limits.concurrency` of its requests under way, and a landing
 * for every flight, whatever happens. It runs in a fiber of the layer, not of the reader: others may wait for its flights too.
 *
 * Hard cases: an abandoned flight is interrupted while it waits for the quota or the vendor, but from the moment its answer is
 * archived it goes on until the rows are committed. An answer in pages is asked for page by page, each archived and committed for
 * itself: when a later one fails, what the earlier ones prove stays, and only the rest is lost. Pages of one answer are never
 * older than its first one. Bytes that cannot be read, or that were applied before and do not cover this
 * range (invalidated or run out since, or applied for another range by a vendor who is asked the same for both), are not asked
 * of the archive in a loop: the vendor is asked once more, at once or, for the unreadable, when they are as old as a refusal is
 * believed.
 */
import { Deferred, Effect, Result } from "effect"
import type { CacheMode } from "../../domain/Request.ts"
import { allTime, type TimeRange } from "../../domain/TimeRange.ts"
import { Malformed, VendorError } from "../../services/Adapter.ts"
import type { OpenIngestSession } from "../../services/IngestSession.ts"
import { type Failure, unwrap } from "./failure.ts"
import { type FlightContext, type LandedPage, onePage } from "./onePage.ts"
import { aheadOf, type Flight, type Landing, land, landedAll, type SeriesDesk, turn } from "./SeriesDesk.ts"

export type { FlightContext } from "./onePage.ts"

const cacheModeOf = (flight: Flight): CacheMode =>
  flight.asks === "always"
    ? { _tag: "bypass" }
    : flight.asks === "whether it changed"
      ? { _tag: "revalidate" }
      : flight.notBefore === null
        ? { _tag: "default", ttl: null }
        : { _tag: "maxAge", notBefore: flight.notBefore }

const inCircle = new Malformed({
  position: null,
  message: "its pages go in a circle: one leads to a page that was asked for already"
})

/** Two landings of one flight, in the order of their pages. */
const together = (a: Landing, b: Landing): Landing => ({
  rows: a.rows + b.rows,
  rejected: a.rejected + b.rejected,
  calls: a.calls + b.calls,
  joined: a.joined + b.joined,
  failure: b.failure,
  lost: b.lost
})

const meets = (a: TimeRange, b: TimeRange): boolean => a.start < b.end && b.start < a.end

/**
 * An answer is believed only when it was asked for after one that is stored had come (KnownBasis.ts). So of a series of which nothing
 * is stored one is had alone, before the others are asked for.
 */
const untilKnown = Effect.fnUntraced(function* ({ desk, market, series }: FlightContext, flight: Flight) {
  const [first] = aheadOf(desk, flight)
  if (first === undefined) return
  const nothing = { start: allTime.start, end: allTime.start }
  if (!(yield* market.surroundings(series.key, nothing)).rows) yield* landedAll([first])
})

const fly = Effect.fnUntraced(function* (context: FlightContext, session: OpenIngestSession, flight: Flight) {
  const { fetcher, series } = context
  const { range } = flight
  const beside = () => aheadOf(context.desk, flight).filter((other) => meets(other.range, range))
  if (context.rebase !== undefined && fetcher.limits.basisHolds > 0) yield* untilKnown(context, flight)
  const request = yield* fetcher.fetch.request(series.key, range)
  const cacheMode = cacheModeOf(flight)
  const first = yield* onePage(context, session, { range, request, cacheMode }, beside)
  const marks = new Set<string>()
  const notBefore = first.response.askedAt
  const modeOfRest: CacheMode = flight.asks === "the archive first" ? { _tag: "maxAge", notBefore } : cacheMode
  let last: LandedPage = first
  let sum = first.landing
  while (sum.failure === null && last.page !== null && last.page.next !== null) {
    const { mark, next, until } = last.page
    const rest = { start: Math.max(range.start, until), end: range.end }
    if (rest.start >= rest.end) break
    turn(flight, rest.start, last.landing.rows)
    if ("_tag" in next || (mark !== null && marks.has(mark))) {
      const failure = new VendorError({ vendor: fetcher.name, reason: "_tag" in next ? next : inCircle })
      return together(sum, { ...lost(failure), calls: 0, lost: rest })
    }
    if (mark !== null) marks.add(mark)
    const followed = yield* Effect.result(
      onePage(context, session, { range: rest, request: next, cacheMode: modeOfRest }, beside)
    )
    if (Result.isFailure(followed)) {
      const failure = unwrap(followed.failure)
      return together(sum, { ...lost(failure), lost: rest })
    }
    last = followed.success
    sum = together(sum, last.landing.failure === null ? last.landing : { ...last.landing, lost: rest })
  }
  return sum
})

/** What became of a flight whose answer never came; the failure says whether the vendor was asked. */
const lost = (failure: Failure): Landing => ({
  rows: 0,
  rejected: 0,
  calls: failure._tag === "VendorError" && failure.reason._tag !== "Unsupported" ? 1 : 0,
  joined: 0,
  failure,
  lost: null
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
