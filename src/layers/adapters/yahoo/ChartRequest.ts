/** Ranges in the terms of the chart endpoint, and back. */
import { Option, Schema } from "effect"
import { Adjustment, type SeriesKey, SessionScope } from "../../../domain/SeriesKey.ts"
import { isIntraday, maxMillis, Timeframe } from "../../../domain/Timeframe.ts"
import { iso, type TimeRange } from "../../../domain/TimeRange.ts"
import type { VendorRequest } from "../../../services/Adapter.ts"
import { type ChartTimeframe, intervals } from "./intervals.ts"

/**
 * Everything that an answer and its rows depend on. The first part is ours, and makes series that the endpoint is asked the same
 * for different requests: what was archived for one of them is found again, and decoded, by that one alone. `query` is what is sent.
 */
const ChartParams = Schema.Struct({
  symbol: Schema.String,
  timeframe: Timeframe,
  adjustment: Adjustment,
  session: SessionScope,
  /** What the chart must be in; null: whatever it is in. */
  currency: Schema.NullOr(Schema.String),
  start: Schema.String,
  end: Schema.String,
  query: Schema.Struct({
    interval: Schema.String,
    period1: Schema.Int,
    period2: Schema.Int,
    includePrePost: Schema.Boolean,
    events: Schema.String
  })
})
export interface ChartParams extends Schema.Schema.Type<typeof ChartParams> {}

export const chartParams = Schema.decodeUnknownOption(ChartParams)

const day = 86_400_000

/** Later than every split: 2286. */
const farFuture = 9_999_999_999

/**
 * The seconds to ask for. Bars of a day and longer are stamped by the exchange's clock, which is up to 14 hours off ours, so a day
 * is added on both sides; what is not of the range is left out when it is read. An intraday range is asked to the end of its last
 * bar, or that bar would be cut. Undoing splits takes all that came since.
 */
const periodOf = (timeframe: ChartTimeframe, adjustment: Adjustment, { end, start }: TimeRange) =>
  isIntraday(timeframe)
    ? { period1: Math.floor(start / 1000), period2: Math.ceil((end + maxMillis(timeframe)) / 1000) }
    : {
        period1: Math.floor((start - day) / 1000),
        period2: adjustment === "raw" ? farFuture : Math.ceil((end + day) / 1000)
      }

/** The request for a range of a series that the vendor has. */
export const chartRequest = (
  series: SeriesKey & { readonly timeframe: ChartTimeframe },
  range: TimeRange
): VendorRequest => {
  const { adjustment, currency, session, symbol, timeframe } = series
  const params: ChartParams = {
    symbol,
    timeframe,
    adjustment,
    session,
    currency,
    start: iso(range.start),
    end: iso(range.end),
    query: {
      interval: intervals[timeframe].interval,
      ...periodOf(timeframe, adjustment, range),
      includePrePost: session !== "regular",
      events: "div,splits,capitalGains"
    }
  }
  return { kind: "chart", method: "GET", params: { ...params }, body: null, weight: 1, keys: { symbol } }
}

export const paramsOf = (request: Pick<VendorRequest, "params">): ChartParams | null =>
  Option.getOrNull(chartParams(request.params))

/** The address of a request; `host` is an origin such as `https://query2.finance.yahoo.com`. */
export const chartUrl = (host: string, { query, symbol }: ChartParams): URL => {
  const url = new URL(`/v8/finance/chart/${encodeURIComponent(symbol)}`, host)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
  return url
}

/** How far the span of a request reaches beyond its range, in milliseconds. */
export const spanBeyond = (timeframe: ChartTimeframe): number => maxMillis(timeframe) + 2_000
