/** How a reader gets what is missing: together with others where they are on the way already, by flights of its own else. */
import { Clock, Deferred, Effect } from "effect"
import type { Plan, RangePolicy } from "../../domain/Plan.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import { alignmentOf } from "../../domain/VendorLimits.ts"
import type { ReadOptions } from "../../services/StitchingCache.ts"
import { applyArchived } from "./applyArchived.ts"
import { isAdjusted } from "./basis.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { Refusal } from "./failure.ts"
import type { RequestDraft } from "./planner.ts"
import { planOf } from "./planOf.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import { rebaseOf } from "./rebase.ts"
import { remaining } from "./remaining.ts"
import type { Loss } from "./report.ts"
import { runFlights } from "./runFlights.ts"
import { acceptable, askingOf, depart, type Flight, type Landing, leave, type SeriesDesk } from "./SeriesDesk.ts"

/** What became of a plan, once all that it waited for has landed. `fetched` are the ranges that the vendor answered for this reader. */
export interface Gathered {
  readonly plan: Plan
  readonly losses: ReadonlyArray<Loss>
  readonly fetched: ReadonlyArray<TimeRange>
  readonly requests: number
  readonly sharedRequests: number
  readonly rowsRejected: number
}

interface Prepared {
  readonly plan: Plan
  readonly drafts: ReadonlyArray<RequestDraft>
  /** Of the flights that were joined, those that bring something of the plan. */
  readonly awaited: ReadonlyArray<Flight>
}

/** Who asks for what. */
export interface ReadContext {
  readonly context: CacheContext
  readonly desk: SeriesDesk
  readonly fetcher: Fetcher
  readonly series: BarSeries
  readonly range: TimeRange
  readonly policy: RangePolicy
}

/** The drafts of a plan made now. */
export const planned =
  (context: CacheContext, fetcher: Fetcher, series: BarSeries, range: TimeRange, policy: RangePolicy) =>
  (joined: ReadonlyArray<Flight>): Effect.Effect<Prepared, Refusal> =>
    Effect.map(planOf(context, fetcher, series, range, policy, joined), ({ plan }) => {
      const pending = new Set(plan.pieces.map(({ state }) => (state._tag === "Pending" ? state.flight : null)))
      return { plan, drafts: plan.requests, awaited: joined.filter(({ id }) => pending.has(id)) }
    })

/** What is left of a plan made earlier. */
export const given =
  (context: CacheContext, fetcher: Fetcher, series: BarSeries, plan: Plan) =>
  (joined: ReadonlyArray<Flight>): Effect.Effect<Prepared, Refusal> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const coverage = yield* context.market.coverage(series.key, plan.range)
      const pending = joined.map((flight) => flight.range)
      const wholeCells = alignmentOf(fetcher.limits, series.timeframe) !== null
      const drafts = remaining(plan, coverage, pending, now, wholeCells, series.closedIn(plan.range))
      return { plan, drafts, awaited: joined }
    })

/**
 * Asks for what is missing and waits until all of it has landed. `choose` is given the flights that are joined, and is
 * called under the series' planning permit, so that nobody asks for the same in the meantime. `check` is the
 * last look before anything is spent.
 */
export const fetchMissing = Effect.fnUntraced(function* (
  { desk, fetcher, policy, range, series, context }: ReadContext,
  choose: (joined: ReadonlyArray<Flight>) => Effect.Effect<Prepared, Refusal>,
  check: (drafts: ReadonlyArray<RequestDraft>) => Effect.Effect<unknown, Refusal>,
  progress: NonNullable<ReadOptions["progress"]>
) {
  const aboard: Array<Flight> = []

  const start = Effect.gen(function* () {
    yield* applyArchived(context, desk, series, fetcher)
    // From here on these cannot be abandoned; whatever lands now is in the store by the time it is looked at, or joined.
    const joined = acceptable(desk, policy, range)
    for (const flight of joined) flight.waiting++
    aboard.push(...joined)
    const prepared = yield* choose(joined)
    if (prepared.drafts.length > 0) yield* check(prepared.drafts)
    const awaited = new Set(prepared.awaited)
    for (const flight of aboard.splice(0)) {
      if (awaited.has(flight)) aboard.push(flight)
      else leave(desk, flight)
    }
    const own = yield* Effect.uninterruptible(
      Effect.suspend(() => {
        const flights = depart(desk, prepared.drafts, askingOf(policy))
        aboard.push(...flights)
        if (flights.length === 0) return Effect.succeed(flights)
        const { archive, ingest, market } = context
        const rebase = isAdjusted(series.key) ? { rebase: rebaseOf(context, desk, fetcher, series) } : {}
        const flying = runFlights({ archive, ingest, market, desk, series, fetcher, ...rebase }, flights)
        const held = Effect.scoped(Effect.andThen(context.deskOf(series.text), flying))
        return Effect.as(context.detach(held), flights)
      })
    )
    return { prepared, own: new Set(own) }
  })

  return yield* Effect.gen(function* () {
    const { prepared, own } = yield* desk.planning.withPermit(start)
    if (aboard.length === 0) {
      const gathered: Gathered = {
        plan: prepared.plan,
        losses: [],
        fetched: [],
        requests: 0,
        sharedRequests: 0,
        rowsRejected: 0
      }
      return gathered
    }
    const losses: Array<Loss> = []
    const fetched: Array<TimeRange> = []
    let requests = 0
    let sharedRequests = 0
    let rowsRejected = 0
    let rows = 0
    let done = 0
    const told = (pageRows: number) => progress({ done, of: aboard.length, rows: rows + pageRows })
    for (const flight of aboard) {
      // Rows of an adjusted series can be replaced as long as its answers come.
      const whole = own.has(flight) || isAdjusted(series.key)
      const landing = yield* arrival(flight, whole ? Infinity : range.end, told)
      if (landing === null) {
        sharedRequests++
        yield* progress({ done: ++done, of: aboard.length, rows })
        continue
      }
      if (own.has(flight)) {
        requests += landing.calls
        sharedRequests += landing.joined
        const end = landing.failure === null ? flight.range.end : (landing.lost?.start ?? flight.range.start)
        if (landing.calls > 0 && end > flight.range.start) fetched.push({ start: flight.range.start, end })
      } else {
        sharedRequests++
      }
      if (landing.failure !== null) losses.push({ range: landing.lost ?? flight.range, failure: landing.failure })
      rows += landing.rows
      rowsRejected += landing.rejected
      yield* progress({ done: ++done, of: aboard.length, rows })
    }
    losses.sort((a, b) => a.range.start - b.range.start)
    const gathered: Gathered = {
      plan: prepared.plan,
      losses,
      fetched,
      requests,
      sharedRequests,
      rowsRejected
    }
    return gathered
  }).pipe(Effect.ensuring(Effect.sync(() => leaveAll(desk, aboard))))
})

/** Waits until a flight has landed, or has brought everything before `end`: then null, and who waits for no more of it may leave. */
const arrival = Effect.fnUntraced(function* (
  flight: Flight,
  end: EpochMillis,
  told: (rows: number) => Effect.Effect<void>
): Effect.fn.Return<Landing | null> {
  while (!Deferred.isDoneUnsafe(flight.landed)) {
    const { turned, until } = flight.pages
    if (until >= end) return null
    const landing = yield* Effect.raceFirst(Deferred.await(flight.landed), Effect.as(Deferred.await(turned), null))
    if (landing !== null) return landing
    yield* told(flight.pages.rows)
  }
  return yield* Deferred.await(flight.landed)
})

const leaveAll = (desk: SeriesDesk, flights: ReadonlyArray<Flight>): void => {
  for (const flight of flights) leave(desk, flight)
}
