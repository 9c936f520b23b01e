/**
 * Fetches everything that a series has again and shows it at once.
 *
 * The answers go into a generation beside the one that readers see, under a tag of their own in the archive: an ordinary read
 * neither sees nor applies them. When all have succeeded, the generation is completed with what ordinary reads have had in the
 * meantime and published while nobody plans and nothing is in flight, so that no evidence falls between the two. On any
 * failure, refusal or interruption it is dropped.
 *
 * An adjusted series may be rebased while it is being refetched. So the first answer with rows is had before the others are
 * asked for, and its oldest bar once more after them: when that has not moved, nothing in between has (weigh.ts says why). When
 * it has, the generation is dropped and made again, a few times. Nothing is waited for before it is published, since what is in
 * flight may itself be waiting for it (admit.ts): under the desk's `committing` no answer comes in meanwhile, and what comes
 * later is compared with the new generation.
 */
import { Clock, Deferred, Effect } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { PlannedRequest } from "../../domain/Plan.ts"
import type { ResponseId } from "../../domain/Response.ts"
import { allTime, type EpochMillis, type TimeRange } from "../../domain/TimeRange.ts"
import { Malformed, VendorError } from "../../services/Adapter.ts"
import type { GenerationId } from "../../services/MarketStore.ts"
import { askBar } from "./admit.ts"
import { applyArchived } from "./applyArchived.ts"
import { applyFitting } from "./applyFitting.ts"
import { archivedAnswer } from "./archivedAnswer.ts"
import { isAdjusted, sameBasis } from "./basis.ts"
import type { CacheContext } from "./CacheContext.ts"
import { checkRoom } from "./checkRoom.ts"
import type { Failure } from "./failure.ts"
import type { Gathered } from "./fetchMissing.ts"
import { askableBar } from "./overlap.ts"
import { planOf, storedPlan } from "./planOf.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import { holesOf, refusalOf } from "./report.ts"
import { runFlights } from "./runFlights.ts"
import * as SeriesDesk from "./SeriesDesk.ts"
import { whenQuiet } from "./whenQuiet.ts"

const rangesOf = (coverage: ReadonlyArray<StoredCoverage>): Intervals.Ranges =>
  Intervals.mergeNear(
    coverage.filter(({ state }) => state._tag !== "NotFound" && state._tag !== "NotEntitled"),
    0
  )

/**
 * The requests of all covered ranges, and the range that holds them all. `since`: answers of an earlier attempt that were asked
 * for from then on will do; null: none will.
 */
const planAgain = Effect.fnUntraced(function* (
  context: CacheContext,
  fetcher: Fetcher,
  series: BarSeries,
  since: EpochMillis | null
) {
  const covered = rangesOf(yield* context.market.coverage(series.key, allTime))
  const plans = yield* Effect.forEach(covered, (range) => planOf(context, fetcher, series, range, "force", [], false))
  const first = plans[0]?.plan
  const last = plans.at(-1)?.plan
  if (first === undefined || last === undefined) return null
  const requests = plans
    .flatMap(({ plan }) => plan.requests)
    .map((request) => ({ ...request, notBefore: since ?? request.notBefore }))
  const range: TimeRange = { start: first.range.start, end: last.range.end }
  return { ...first, range, requests, cost: plans.reduce((sum, { plan }) => sum + plan.cost, 0) }
})

const fill = Effect.fnUntraced(function* (
  context: CacheContext,
  fetcher: Fetcher,
  series: BarSeries,
  drafts: ReadonlyArray<SeriesDesk.Flight>,
  desk: SeriesDesk.SeriesDesk,
  generation: GenerationId
) {
  const { archive, ingest, market } = context
  let requests = 0
  let rowsRejected = 0
  let rows = 0
  const bring = Effect.fnUntraced(function* (flights: ReadonlyArray<SeriesDesk.Flight>) {
    yield* runFlights({ archive, ingest, market, desk, series, fetcher, generation }, flights)
    for (const flight of flights) {
      const landing = yield* Deferred.await(flight.landed)
      if (landing.failure !== null) return yield* Effect.fail<Failure>(landing.failure)
      requests += landing.calls
      rowsRejected += landing.rejected
      rows += landing.rows
    }
  })
  let alone = 0
  while (isAdjusted(series.key) && rows === 0 && alone < drafts.length) yield* bring(drafts.slice(alone, ++alone))
  if (alone < drafts.length) yield* bring(drafts.slice(alone))
  const made = yield* market.coverage(series.key, allTime, { generation })
  for (const { state } of holesOf(made)) {
    const refusal = refusalOf(series.key, state)
    if (refusal !== null) return yield* Effect.fail<Failure>(refusal)
  }
  return { requests, rowsRejected }
})

/**
 * Everything that is visible and not in the generation: it came while the generation was being filled. Of an adjusted series
 * only what fits: the rest is of the old basis.
 */
const complete = Effect.fnUntraced(function* (
  { archive, market }: CacheContext,
  fetcher: Fetcher,
  series: BarSeries,
  generation: GenerationId
) {
  const visible = yield* market.coverage(series.key, allTime)
  const made = yield* market.coverage(series.key, allTime, { generation })
  const rest = Intervals.subtract(rangesOf(visible), rangesOf(made))
  const late = visible.filter((interval) => Intervals.intersect([interval], rest).length > 0)
  for (const id of new Set(late.map(({ state }) => state.response))) {
    const answer = yield* archivedAnswer(archive, id)
    if (answer !== null) yield* applyFitting({ archive, market }, series, fetcher, answer, generation)
  }
  return made.reduce((latest, { recordedAt }) => Math.max(latest, recordedAt), 0)
})

/** Recorded first: a process that dies before the switch leaves one that the next plan makes of the same answers. */
const publish = Effect.fnUntraced(function* (
  { archive, market }: CacheContext,
  desk: SeriesDesk.SeriesDesk,
  series: BarSeries,
  generation: GenerationId,
  at: EpochMillis,
  responses: ReadonlyArray<ResponseId>
) {
  desk.operated = false
  desk.basis = null
  const { id } = yield* archive.recordOperation(series.text, { _tag: "Published", at, responses })
  yield* market.publishGeneration(generation, at, { operation: id })
  desk.operated = true
})

/** Attempts at a generation of one basis. */
const attempts = 3

const restless = (vendor: string) =>
  new VendorError({
    vendor,
    reason: new Malformed({
      position: null,
      message: `its adjusted history moved each time it was fetched, ${attempts} times; what was stored before is kept`
    })
  })

const gone = (vendor: string, symbol: string) =>
  new VendorError({
    vendor,
    reason: new Malformed({
      position: null,
      message: `it has no bar of ${symbol} any more; what was stored before is kept`
    })
  })

/** When the oldest bar of a generation was found to have moved since it was fetched; null when it has not. */
const movedAt = Effect.fnUntraced(function* (
  context: CacheContext,
  fetcher: Fetcher,
  series: BarSeries,
  generation: GenerationId
) {
  const { ingest, market } = context
  const nothing = { start: allTime.start, end: allTime.start }
  const { after: oldest, rows } = yield* market.surroundings(series.key, nothing, { generation })
  if (!rows && (yield* market.surroundings(series.key, nothing)).rows) {
    return yield* Effect.fail<Failure>(gone(fetcher.name, series.key.symbol))
  }
  if (oldest === null) return { moved: null, calls: 0 }
  const range = askableBar(fetcher, series, [oldest.ts]) ?? nothing
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const session = yield* ingest.open({ source: fetcher.name, mode: "sync" })
      const { bars, askedAt } = yield* askBar({ fetcher, series, session }, range)
      const again = bars.find(({ ts }) => ts === oldest.ts)
      return { moved: again !== undefined && sameBasis(again, oldest) ? null : askedAt, calls: 1 }
    })
  )
})

/** One generation, filled, completed and shown; or, where it was overtaken by a rebase, the instant of asking that showed it. */
const attempt = Effect.fnUntraced(function* (
  context: CacheContext,
  desk: SeriesDesk.SeriesDesk,
  fetcher: Fetcher,
  series: BarSeries,
  requests: ReadonlyArray<PlannedRequest>,
  asks: SeriesDesk.Asking
) {
  const { market } = context
  const own = yield* SeriesDesk.make
  let published = false
  const apply = applyArchived(context, desk, series, fetcher)
  const show = (generation: GenerationId) =>
    Effect.gen(function* () {
      const at = yield* complete(context, fetcher, series, generation)
      const made = yield* market.applied(series.key, Number.MIN_SAFE_INTEGER, { generation })
      yield* Effect.uninterruptible(
        Effect.tap(publish(context, desk, series, generation, at, [...made]), () => {
          published = true
          return Effect.void
        })
      )
    })
  return yield* Effect.acquireUseRelease(
    market.beginGeneration(series.key),
    (generation) =>
      Effect.gen(function* () {
        const flights = SeriesDesk.depart(own, requests, asks)
        const filled = yield* fill(context, fetcher, series, flights, own, generation)
        if (!isAdjusted(series.key)) {
          yield* whenQuiet(desk, `the refetch of ${series.text}`, Effect.andThen(apply, show(generation)))
          return { ...filled, moved: null }
        }
        const { calls, moved } = yield* movedAt(context, fetcher, series, generation)
        if (moved === null) {
          yield* desk.planning.withPermit(Effect.andThen(apply, desk.committing.withPermit(show(generation))))
        }
        return { ...filled, requests: filled.requests + calls, moved }
      }),
    (generation) =>
      published
        ? Effect.void
        : Effect.catch(market.dropGeneration(generation), ({ message }) =>
            Effect.logWarning(`a refetch left an unpublished generation behind: ${message}`)
          )
  )
})

/** `since`: answers that a refetch had from then on, also one that failed, are not asked for again; null: all are. */
export const refetch = Effect.fnUntraced(function* (
  context: CacheContext,
  desk: SeriesDesk.SeriesDesk,
  fetcher: Fetcher,
  series: BarSeries,
  since: EpochMillis | null = null
) {
  const { market } = context
  yield* desk.planning.withPermit(applyArchived(context, desk, series, fetcher))
  let from = since
  let requests = 0
  for (let tries = 0; tries < attempts; tries++) {
    const plan = yield* planAgain(context, fetcher, series, from)
    if (plan === null) return null
    yield* checkRoom(context, series, plan.requests)
    const asks = from === null ? "always" : "the archive first"
    const { moved, ...asked } = yield* attempt(context, desk, fetcher, series, plan.requests, asks)
    requests += asked.requests
    if (moved !== null) {
      from = moved
      continue
    }
    const coverage = yield* market.coverage(series.key, plan.range)
    const now = yield* Clock.currentTimeMillis
    const { pieces } = storedPlan(series, plan.range, now, coverage)
    const gathered: Gathered = {
      plan: { ...plan, pieces },
      losses: [],
      fetched: plan.requests.map((request) => request.range),
      ...asked,
      requests,
      sharedRequests: 0
    }
    return gathered
  }
  return yield* Effect.fail<Failure>(restless(fetcher.name))
})
