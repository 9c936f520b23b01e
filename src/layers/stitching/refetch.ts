/**
 * Fetches everything that a series has again and shows it at once.
 *
 * The answers go into a generation beside the one that readers see, under a tag of their own in the archive: an ordinary read
 * neither sees nor applies them. When all have succeeded, the generation is completed with what ordinary reads have had in the
 * meantime and published while nobody plans and nothing is in flight, so that no evidence falls between the two. On any
 * failure, refusal or interruption it is dropped.
 */
import { Clock, Deferred, Effect } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { ResponseId } from "../../domain/Response.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { GenerationId } from "../../services/MarketStore.ts"
import { applyArchived } from "./applyArchived.ts"
import { archivedAnswer } from "./archivedAnswer.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { Failure } from "./failure.ts"
import type { Gathered } from "./fetchMissing.ts"
import { planOf, storedPlan } from "./planOf.ts"
import { type BarSeries, type Fetcher, project } from "./project.ts"
import { holesOf, refusalOf } from "./report.ts"
import { runFlights } from "./runFlights.ts"
import * as SeriesDesk from "./SeriesDesk.ts"
import { whenQuiet } from "./whenQuiet.ts"

const always: TimeRange = { start: -8_640_000_000_000_000, end: 8_640_000_000_000_000 }

const rangesOf = (coverage: ReadonlyArray<StoredCoverage>): Intervals.Ranges =>
  Intervals.mergeNear(
    coverage.filter(({ state }) => state._tag !== "NotFound" && state._tag !== "NotEntitled"),
    0
  )

/** The requests of all covered ranges, and the range that holds them all. */
const planAgain = Effect.fnUntraced(function* (context: CacheContext, fetcher: Fetcher, series: BarSeries) {
  const covered = rangesOf(yield* context.market.coverage(series.key, always))
  const plans = yield* Effect.forEach(covered, (range) => planOf(context, fetcher, series, range, "force", []))
  const first = plans[0]?.plan
  const last = plans.at(-1)?.plan
  if (first === undefined || last === undefined) return null
  const requests = plans.flatMap(({ plan }) => plan.requests)
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
  yield* runFlights({ archive, ingest, market, desk, series, fetcher, generation }, drafts)
  let requests = 0
  let rowsRejected = 0
  for (const flight of drafts) {
    const landing = yield* Deferred.await(flight.landed)
    if (landing.failure !== null) return yield* Effect.fail<Failure>(landing.failure)
    requests += landing.calls
    rowsRejected += landing.rejected
  }
  const made = yield* market.coverage(series.key, always, { generation })
  for (const { state } of holesOf(made)) {
    const refusal = refusalOf(series.key, state)
    if (refusal !== null) return yield* Effect.fail<Failure>(refusal)
  }
  return { requests, rowsRejected }
})

/** Everything that is visible and not in the generation: it came while the generation was being filled. */
const complete = Effect.fnUntraced(function* (
  { archive, market }: CacheContext,
  fetcher: Fetcher,
  series: BarSeries,
  generation: GenerationId
) {
  const visible = yield* market.coverage(series.key, always)
  const made = yield* market.coverage(series.key, always, { generation })
  const rest = Intervals.subtract(rangesOf(visible), rangesOf(made))
  const late = visible.filter((interval) => Intervals.intersect([interval], rest).length > 0)
  for (const id of new Set(late.map(({ state }) => state.response))) {
    const answer = yield* archivedAnswer(archive, id)
    if (answer !== null) yield* project(market, fetcher, series, answer, generation)
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
  const { id } = yield* archive.recordOperation(series.text, { _tag: "Published", at, responses })
  yield* market.publishGeneration(generation, at, { operation: id })
  desk.operated = true
})

export const refetch = Effect.fnUntraced(function* (
  context: CacheContext,
  desk: SeriesDesk.SeriesDesk,
  fetcher: Fetcher,
  series: BarSeries
) {
  const { market } = context
  yield* desk.planning.withPermit(applyArchived(context, desk, series, fetcher))
  const plan = yield* planAgain(context, fetcher, series)
  if (plan === null) return null
  const own = yield* SeriesDesk.make
  let published = false
  const asked = yield* Effect.acquireUseRelease(
    market.beginGeneration(series.key),
    (generation) =>
      Effect.gen(function* () {
        const flights = SeriesDesk.depart(own, plan.requests, true)
        const filled = yield* fill(context, fetcher, series, flights, own, generation)
        yield* whenQuiet(
          desk,
          Effect.gen(function* () {
            yield* applyArchived(context, desk, series, fetcher)
            const at = yield* complete(context, fetcher, series, generation)
            const made = yield* market.applied(series.key, Number.MIN_SAFE_INTEGER, { generation })
            yield* Effect.uninterruptible(
              Effect.tap(publish(context, desk, series, generation, at, [...made]), () => {
                published = true
                return Effect.void
              })
            )
          })
        )
        return filled
      }),
    (generation) =>
      published
        ? Effect.void
        : Effect.catch(market.dropGeneration(generation), ({ message }) =>
            Effect.logWarning(`a refetch left an unpublished generation behind: ${message}`)
          )
  )
  const coverage = yield* market.coverage(series.key, plan.range)
  const now = yield* Clock.currentTimeMillis
  const { pieces } = storedPlan(series, plan.range, now, coverage)
  const gathered: Gathered = {
    plan: { ...plan, pieces },
    coverage,
    losses: [],
    fetched: plan.requests.map((request) => request.range),
    ...asked,
    sharedRequests: 0
  }
  return gathered
})
