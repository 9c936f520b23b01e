import type { Timeframe } from "../../../domain/Timeframe.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** How one timeframe is asked for. Durations are milliseconds; null: no bound. */
export interface ChartInterval {
  /** The endpoint's word. */
  readonly interval: string
  /** The length of the endpoint's own bars where they are shorter than a day. */
  readonly length: number | null
  /** Longest range that one request may name. */
  readonly span: number | null
  /** The endpoint has nothing older. */
  readonly age: number | null
}

/**
 * What the chart endpoint has of our timeframes. Its `30m` holds wrong bars, so half hours are made of quarters; its `90m` and
 * `5d` are no timeframes of ours, and `60m` is `1h`.
 */
export const intervals = {
  "1m": { interval: "1m", length: minute, span: 8 * day, age: 30 * day },
  "2m": { interval: "2m", length: 2 * minute, span: 60 * day, age: 60 * day },
  "5m": { interval: "5m", length: 5 * minute, span: 60 * day, age: 60 * day },
  "15m": { interval: "15m", length: 15 * minute, span: 60 * day, age: 60 * day },
  "30m": { interval: "15m", length: 15 * minute, span: 60 * day, age: 60 * day },
  "1h": { interval: "1h", length: hour, span: 730 * day, age: 730 * day },
  "1d": { interval: "1d", length: null, span: null, age: null },
  "1w": { interval: "1wk", length: null, span: null, age: null },
  "1mo": { interval: "1mo", length: null, span: null, age: null },
  "3mo": { interval: "3mo", length: null, span: null, age: null }
} as const satisfies Partial<Record<Timeframe, ChartInterval>>

export type ChartTimeframe = keyof typeof intervals

export const chartTimeframes: ReadonlyArray<ChartTimeframe> = [
  "1m",
  "2m",
  "5m",
  "15m",
  "30m",
  "1h",
  "1d",
  "1w",
  "1mo",
  "3mo"
]

export const isChartTimeframe = (timeframe: Timeframe): timeframe is ChartTimeframe => timeframe in intervals

/** The endpoint has two words for an hour. */
export const sameInterval = (asked: string, given: string): boolean =>
  asked === given || (asked === "1h" && given === "60m")
