import { Clock, Effect, Stream } from "effect"
import type { Bar } from "../../../../domain/Bar.ts"
import { type CoverageInterval, isComplete } from "../../../../domain/Coverage.ts"
import * as SeriesKey from "../../../../domain/SeriesKey.ts"
import * as Timeframe from "../../../../domain/Timeframe.ts"
import { type EpochMillis, iso, type TimeRange } from "../../../../domain/TimeRange.ts"
import {
  NotEntitled,
  NotFound,
  Throttled,
  Unavailable,
  VendorError,
  type VendorErrorReason
} from "../../../../services/Adapter.ts"
import { type RangeAnswer, type StitchingCache, StitchingCacheError } from "../../../../services/StitchingCache.ts"
import { fewBars } from "./bounds.ts"
import type { Prices, What } from "./MarketApi.ts"

export interface PricesQuery {
  readonly symbol: string
  readonly interval?: Timeframe.Timeframe
  readonly limit?: number
  readonly what?: typeof What.Type
  readonly start?: EpochMillis
  readonly end?: EpochMillis
}

const bases = { TRADES: "trade", BID: "bid", ASK: "ask", MIDPOINT: "mid" } as const

/** By how much the range grows while it has too few bars: markets are closed most of the time, and closed time costs nothing. */
const widenings = [1, 4, 16, 64, 256]

const whyOf = ({ state }: CoverageInterval): string => {
  switch (state._tag) {
    case "Missing":
      return state.cause?.message ?? "nobody has asked for it"
    case "Throttled":
      return state.cause ?? `the vendor's budget is spent; try again in ${Math.ceil(state.retryAfter / 1_000)} s`
    case "NotEntitled":
      return "the account has no right to it"
    case "NotFound":
      return "the vendor does not know it"
    case "Pending":
      return "it is on its way; ask again"
    default:
      return ""
  }
}

const clipped = (coverage: ReadonlyArray<CoverageInterval>, start: EpochMillis, end: EpochMillis) =>
  coverage.flatMap((known) =>
    known.end <= start || known.start >= end
      ? []
      : [{ ...known, start: Math.max(known.start, start), end: Math.min(known.end, end) }]
  )

const holesOf = (coverage: ReadonlyArray<CoverageInterval>) => coverage.filter(({ state }) => !isComplete(state))

/** Where nothing at all could be had, and for one reason: that. Null: there is an answer. */
const refusedWhole = (
  vendor: string,
  symbol: string,
  { coverage, rowCount }: RangeAnswer
): StitchingCacheError | null => {
  const [first, ...others] = holesOf(coverage)
  if (rowCount > 0 || first === undefined || coverage.some(({ state }) => state._tag === "Covered")) return null
  if (others.some(({ state }) => state._tag !== first.state._tag)) return null
  const message = `${symbol}: ${whyOf(first)}`
  switch (first.state._tag) {
    case "NotFound":
      return ofVendor(vendor, new NotFound({ message: `no bars of ${symbol}: ${whyOf(first)}` }))
    case "NotEntitled":
      return ofVendor(vendor, new NotEntitled({ message }))
    case "Throttled":
      return ofVendor(vendor, new Throttled({ retryAfter: first.state.retryAfter }))
    default:
      return ofVendor(vendor, new Unavailable({ message }))
  }
}

const ofVendor = (vendor: string, reason: VendorErrorReason) =>
  new StitchingCacheError({ reason: new VendorError({ vendor, reason }) })

/** The newest bars before an instant, from as far back as it takes. */
const newest = Effect.fnUntraced(function* (
  read: (start: EpochMillis) => Effect.Effect<RangeAnswer, StitchingCacheError>,
  end: EpochMillis,
  length: number,
  limit: number
) {
  let answer = yield* read(end - length * limit)
  for (const factor of widenings.slice(1)) {
    // A hole is told of; asking for what is before it would hide that the bars are not the newest.
    if (answer.rowCount >= limit || holesOf(answer.coverage).length > 0) break
    answer = yield* read(end - length * limit * factor)
  }
  return answer
})

/** True of a hole that may be had later, and so is a reason to stop there; of the others it is known that nothing is to be had. */
const mayPass = ({ _tag }: CoverageInterval["state"]): boolean => _tag !== "NotEntitled" && _tag !== "NotFound"

/**
 * The first bars from an instant on, one more than is wanted where there are: no more is asked of the vendor than a page needs, and where there is
 * nothing for long it is a page of nothing, so that a single call cannot spend the budget of a day.
 */
const oldest = Effect.fnUntraced(function* (
  read: (start: EpochMillis, end: EpochMillis) => Effect.Effect<RangeAnswer, StitchingCacheError>,
  { end, start }: TimeRange,
  length: number,
  limit: number
) {
  const to = (factor: number) => Math.min(end, start + length * (limit + 1) * factor)
  let answer = yield* read(start, to(1))
  for (const factor of widenings.slice(1)) {
    if (answer.range.end >= end || answer.rowCount > limit) break
    if (holesOf(answer.coverage).some(({ state }) => mayPass(state))) break
    answer = yield* read(start, to(factor))
  }
  return answer
})

/** Bars with what is known of the range that they are about. */
export const prices = Effect.fnUntraced(function* (
  cache: StitchingCache["Service"],
  vendor: string,
  { end, interval = "1d", limit = fewBars, start, symbol, what = "TRADES" }: PricesQuery
): Effect.fn.Return<Prices, StitchingCacheError> {
  const series = yield* cache.resolve(vendor, { symbol, kind: "bar", timeframe: interval, price: bases[what] })
  const now = yield* Clock.currentTimeMillis
  const length = Timeframe.maxMillis(interval)
  // The bar that is open is among them, as far as it has come.
  const until = end ?? Timeframe.periodEnd(interval, Timeframe.floor(interval, now))
  const read = (from: EpochMillis, to = until) =>
    cache.read(
      { series, range: { start: Timeframe.floor(interval, from), end: Math.max(to, from + 1) } },
      { onMissing: "partial" }
    )
  const answer = yield* start === undefined
    ? newest(read, until, length, limit)
    : oldest(read, { start, end: until }, length, limit)
  const refused = refusedWhole(vendor, series.symbol, answer)
  if (refused !== null) return yield* refused
  const { range, rowCount } = answer
  const skipped = start === undefined ? Math.max(0, rowCount - limit) : 0
  const found: ReadonlyArray<Bar> = yield* Stream.runCollect(
    Stream.take(Stream.drop(answer.bars, skipped), start === undefined ? limit : limit + 1)
  )
  const bars = start === undefined ? found : found.slice(0, limit)
  // A page may be short: of a hole, or of a long time without a bar; the next goes on behind it.
  const onward = start === undefined || range.end >= until ? null : range.end
  const next = found[limit]?.ts ?? onward
  const from = skipped > 0 ? (bars[0]?.ts ?? range.start) : range.start
  const to = next ?? range.end
  const coverage = clipped(answer.coverage, from, to)
  const missing = holesOf(coverage)
  return {
    symbol: series.symbol,
    vendor,
    interval,
    what,
    series: SeriesKey.canonical(series),
    start: iso(from),
    end: iso(to),
    bars: bars.map(({ ts, ...rest }) => ({ ts: iso(ts), ...rest })),
    count: bars.length,
    complete: missing.length === 0,
    missing: missing.map((hole) => ({
      start: iso(hole.start),
      end: iso(hole.end),
      state: hole.state._tag,
      why: whyOf(hole)
    })),
    coverage: coverage.map(({ end: behind, start: front, state }) => ({
      start: iso(front),
      end: iso(behind),
      state
    })),
    next: next === null ? null : iso(next)
  }
})
