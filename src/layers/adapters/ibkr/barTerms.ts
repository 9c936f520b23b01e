/** Timeframes and ranges as IB asks for them, and how much it gives at once. */
import { ceil, isIntraday, maxMillis, type Timeframe } from "../../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"

const second = 1_000
const day = 86_400_000

/** How one timeframe is asked for. */
interface BarTerm {
  /** IB's word. */
  readonly size: string
  /** Longest range of one request, in milliseconds. */
  readonly span: number
}

/**
 * IB's table of step sizes, read the other way round: the longest duration that still has bars of that size. Of those in days a day is
 * left out, see `durationText`.
 */
export const barTerms = {
  "1s": { size: "1 secs", span: 1_800 * second },
  "5s": { size: "5 secs", span: 3_600 * second },
  "10s": { size: "10 secs", span: 14_400 * second },
  "15s": { size: "15 secs", span: 14_400 * second },
  "30s": { size: "30 secs", span: 28_800 * second },
  "1m": { size: "1 min", span: day },
  "2m": { size: "2 mins", span: day },
  "3m": { size: "3 mins", span: 6 * day },
  "5m": { size: "5 mins", span: 6 * day },
  "10m": { size: "10 mins", span: 6 * day },
  "15m": { size: "15 mins", span: 6 * day },
  "20m": { size: "20 mins", span: 6 * day },
  "30m": { size: "30 mins", span: 29 * day },
  "1h": { size: "1 hour", span: 29 * day },
  "2h": { size: "2 hours", span: 29 * day },
  "3h": { size: "3 hours", span: 29 * day },
  "4h": { size: "4 hours", span: 29 * day },
  "8h": { size: "8 hours", span: 29 * day },
  "1d": { size: "1 day", span: 364 * day },
  "1w": { size: "1 week", span: 350 * day },
  "1mo": { size: "1 month", span: 330 * day }
} as const satisfies Partial<Record<Timeframe, BarTerm>>

export type BarTimeframe = keyof typeof barTerms

export const isBarTimeframe = (timeframe: Timeframe): timeframe is BarTimeframe => timeframe in barTerms

/** Bars that IB's pacing of history is about: it counts those of half a minute and shorter. */
export const isSmall = (timeframe: BarTimeframe): boolean => barTerms[timeframe].span < day

const two = (value: number): string => String(value).padStart(2, "0")

/** An instant as IB reads it without a zone of its own: `yyyymmdd-hh:mm:ss`, UTC. */
export const instantText = (at: EpochMillis): string => {
  const date = new Date(at)
  const [year, month, dayOf] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  return `${String(year).padStart(4, "0")}${two(month)}${two(dayOf)}-${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
}

/**
 * How far back from its end a range reaches, in IB's words. Days are counted as days of trade there, the one under way as a whole: three
 * days back from a Friday noon begin with Wednesday's session, not on Tuesday noon. So there is one more of them, and of weeks and
 * months; what an answer has before the range is left out when it is read.
 */
const durationText = (timeframe: BarTimeframe, { end, start }: TimeRange): string => {
  const millis = end - start
  if (timeframe === "1w") return `${Math.ceil(millis / (7 * day)) + 1} W`
  if (timeframe === "1mo") return `${Math.ceil(millis / (30 * day)) + 1} M`
  if (isIntraday(timeframe) && millis <= day) return `${Math.max(30, Math.ceil(millis / second))} S`
  return `${Math.ceil(millis / day) + 1} D`
}

const hour = 3_600 * second

/**
 * Where the bar ends that the range ends in: IB cuts the last bar off where it was told to end, and gives that part of it as if it were all. Bars of more
 * than an hour begin with the session, which is on no grid, so there a whole one more is asked for.
 */
const endOfLast = (timeframe: BarTimeframe, end: EpochMillis): EpochMillis => {
  if (!isIntraday(timeframe)) return Math.ceil(end / second) * second
  const whole = ceil(timeframe, end)
  return whole === end || maxMillis(timeframe) <= hour ? whole : whole + maxMillis(timeframe)
}

/** A range in IB's words, up to the end of its last bar. */
export const periodOf = (timeframe: BarTimeframe, range: TimeRange) => {
  const end = endOfLast(timeframe, range.end)
  return { end: instantText(end), duration: durationText(timeframe, { start: range.start, end }) }
}
