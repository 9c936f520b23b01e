import { Effect, Stream } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { Plan } from "../../domain/Plan.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { GenerationId, SeriesMark } from "../../services/MarketStore.ts"
import {
  type RangeAnswer,
  RangeIncomplete,
  type ReadOptions,
  StitchingCacheError,
  TooManyRows
} from "../../services/StitchingCache.ts"
import { isAdjusted } from "./basis.ts"
import type { CacheContext } from "./CacheContext.ts"
import { isOurs, type Refusal, unwrap } from "./failure.ts"
import type { Gathered } from "./fetchMissing.ts"
import * as KnownBasis from "./KnownBasis.ts"
import type { BarSeries } from "./project.ts"
import { commonFailure, holesOf, report } from "./report.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"

/** The one error of the service, from whatever failed inside it. */
export const asServiceError = (refusal: Refusal): StitchingCacheError => {
  switch (refusal._tag) {
    case "RangeIncomplete":
    case "TooManyRows":
    case "TooManyRequests":
    case "DiskTooFull":
    case "NoSuchRow":
    case "UnknownSeries":
    case "CalendarError":
      return new StitchingCacheError({ reason: refusal })
    default:
      return new StitchingCacheError({ reason: unwrap(refusal) })
  }
}

/** Refuses an answer of more rows than one may have; says how many it has. */
const checkRows = Effect.fnUntraced(function* (
  context: CacheContext,
  series: SeriesKey,
  range: TimeRange,
  read: { readonly generation?: GenerationId }
) {
  const limit = context.maxAnswerRows
  const rows = yield* context.market.count(series, range, read)
  if (rows > limit) return yield* new TooManyRows({ rows, limit })
  return rows
})

/** How many times more bars than its timeframe has room for a vendor may give of a range; none is known that gives twice as many. */
const crowded = 10

/**
 * Refuses what the store alone shows to be too much, so that nothing is fetched for an answer that cannot be given. A range that has no
 * room for so many rows is not counted: most have none.
 */
export const checkStored = (context: CacheContext, { key, timeframe }: BarSeries, range: TimeRange) =>
  crowded * ((range.end - range.start) / Timeframe.maxMillis(timeframe) + 1) <= context.maxAnswerRows
    ? Effect.void
    : checkRows(context, key, range, {})

const barsOf = (
  context: CacheContext,
  series: SeriesKey,
  range: TimeRange,
  read: { readonly asOf?: EpochMillis } & Partial<SeriesMark>
) => context.market.bars(series, range, read).pipe(Stream.mapError((error) => asServiceError(error)))

/**
 * What readers see of a range: a series may be replaced whole at any time, and retention may drop rows of it, so what is said of it and its
 * rows are of one mark, which is taken first.
 */
export interface Seen {
  readonly mark: SeriesMark | null
  readonly known: ReadonlyArray<StoredCoverage>
}

export const seenOf = Effect.fnUntraced(function* (
  { market }: Pick<CacheContext, "market">,
  series: SeriesKey,
  range: TimeRange,
  pinned?: SeriesMark
) {
  const mark = pinned ?? (yield* market.mark(series))
  const known = mark === null ? [] : yield* market.coverage(series, range, { generation: mark.generation })
  const seen: Seen = { mark, known }
  return seen
})

interface AnswerOptions {
  readonly desk?: SeriesDesk
  readonly pinned?: SeriesMark | undefined
  /** What was seen just now; looked at here unless given. */
  readonly seen?: Seen | null
}

/** The answer that what was gathered allows, or why there is none. */
export const answerOf = Effect.fnUntraced(function* (
  context: CacheContext,
  gathered: Gathered,
  onMissing: NonNullable<ReadOptions["onMissing"]>,
  { desk, pinned, seen = null }: AnswerOptions = {}
) {
  const { losses, plan } = gathered
  const { range, series } = plan
  const { known, mark } = seen ?? (yield* seenOf(context, series, range, pinned))
  const read = mark ?? {}
  const ours = losses.find(({ failure }) => isOurs(failure))
  if (ours !== undefined) return yield* ours.failure
  const coverage = report(plan, known, losses)
  const holes = holesOf(coverage)
  if (onMissing === "fail" && holes.length > 0) {
    return yield* commonFailure(series, holes, losses) ?? new RangeIncomplete({ holes })
  }
  const rowCount = yield* checkRows(context, series, range, read)
  // What was refused brought no rows: those that are there are older.
  const refused = Intervals.mergeNear(
    known.filter(({ refusal }) => refusal !== undefined),
    0
  )
  const fetched = Intervals.subtract(Intervals.intersect(Intervals.normalise(gathered.fetched), [range]), refused)
  const counts = yield* Effect.forEach(fetched, (piece) =>
    piece.start === range.start && piece.end === range.end
      ? Effect.succeed(rowCount)
      : context.market.count(series, piece, read)
  )
  const seams =
    desk === undefined || pinned !== undefined || !isAdjusted(series)
      ? []
      : KnownBasis.seamsIn(
          yield* desk.committing.withPermit(KnownBasis.knownBasis(context.archive, desk, canonical(series))),
          known
        )
  const answer: RangeAnswer = {
    series,
    range,
    plan,
    coverage,
    rowCount,
    rowsFromVendor: counts.reduce((sum, count) => sum + count, 0),
    requests: gathered.requests,
    sharedRequests: gathered.sharedRequests,
    ...(gathered.rowsRejected === 0 ? {} : { rowsRejected: gathered.rowsRejected }),
    ...(seams.length === 0 ? {} : { seams }),
    ...read,
    bars: barsOf(context, series, range, read)
  }
  return answer
})

/** The answer as it was known at `asOf`; its rows are counted by reading them, since the store counts only what is known now. */
export const answerAsOf = Effect.fnUntraced(function* (
  context: CacheContext,
  plan: Plan,
  { known, mark }: Seen,
  asOf: EpochMillis,
  onMissing: NonNullable<ReadOptions["onMissing"]>
) {
  const { range, series } = plan
  const coverage = report(plan, known, [])
  const holes = holesOf(coverage)
  if (onMissing === "fail" && holes.length > 0) {
    return yield* commonFailure(series, holes, []) ?? new RangeIncomplete({ holes })
  }
  const limit = context.maxAnswerRows
  const read = { asOf, ...mark }
  const bars = context.market.bars(series, range, read)
  const rowCount = yield* Stream.runCount(Stream.take(bars, limit + 1))
  if (rowCount > limit) return yield* new TooManyRows({ rows: rowCount, limit })
  const answer: RangeAnswer = {
    series,
    range,
    plan,
    coverage,
    rowCount,
    rowsFromVendor: 0,
    requests: 0,
    sharedRequests: 0,
    ...mark,
    bars: barsOf(context, series, range, read)
  }
  return answer
})
