/**
 * The rows of a chart as bars: stamps, sessions, the live last row, adjustment. It reads on from where it stopped, so that
 * whoever drives it can let others run in between.
 *
 * Each row ends in one place: in a bar, in `tally`, or in `rejected`. Hard cases: Yahoo adds the price of this moment as a row of
 * its own behind the last bar; rows of a day and longer are stamped with an instant of the exchange's day; a row of nulls stands
 * for a period without a price.
 */
import { type Bar, defectOf } from "../../../domain/Bar.ts"
import type { Adjustment, SessionScope } from "../../../domain/SeriesKey.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { ZoneClock } from "../../../domain/ZoneClock.ts"
import { type ChartTimeframe, intervals } from "./intervals.ts"
import { type Split, SplitHistory } from "./SplitHistory.ts"
import { sessionDate } from "./sessionDate.ts"
import type { TradingHours } from "./TradingHours.ts"
import { shortest, shortestProduct } from "./widened.ts"

const minute = 60_000

/** The arrays of a chart, one element a row; NaN where it has null. Instants are epoch seconds. */
export interface ChartColumns {
  readonly rows: number
  readonly timestamp: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly volume: Float64Array | null
  readonly adjclose: Float64Array | null
}

/** What became of rows that are no bars of the range. */
export interface ChartTally {
  /** Rows without any price. */
  nulls: number
  /** Rows with the stamp of another, which was kept. */
  duplicates: number
  /** Rows outside the range or the session that was asked for. */
  outside: number
  /** Live rows that were worked into the bar before them, or replaced it. */
  live: number
}

export interface ChartRowsOptions {
  readonly columns: ChartColumns
  readonly timeframe: ChartTimeframe
  readonly session: SessionScope
  readonly adjustment: Adjustment
  readonly range: TimeRange
  readonly clock: ZoneClock
  readonly hours: TradingHours
  readonly splits: ReadonlyArray<Split>
  /** Epoch seconds; the stamp of the live row, where there is one. */
  readonly liveAt: number | null
  readonly allowNonPositivePrices: boolean
}

/** The bar that the rows at hand go into; a row of the same period may still follow. */
interface OpenBar {
  stamp: number
  /** Of the row it began with. */
  first: number
  open: number
  high: number
  low: number
  close: number
  volume: number | null
  position: number
}

const noPrice = (columns: ChartColumns, row: number): string | null => {
  const missing = (["open", "high", "low", "close"] as const).filter((name) => Number.isNaN(columns[name][row]))
  return missing.length === 4 ? null : `${missing.join(" and ")} is null while the other prices are not`
}

export class ChartRows {
  readonly bars: Array<Bar> = []
  readonly positions: Array<number> = []
  readonly rejected: Array<{ readonly position: number; readonly reason: string }> = []
  readonly tally: ChartTally = { nulls: 0, duplicates: 0, outside: 0, live: 0 }
  private readonly options: ChartRowsOptions
  private readonly intraday: boolean
  /** Of the rows, in milliseconds; bars of half an hour are made of two. */
  private readonly length: number
  private readonly rules: { readonly allowNonPositivePrices: boolean }
  private readonly splits: SplitHistory | null
  private readonly last: number
  private at = 0
  private pending: OpenBar | null = null
  private latest = Number.NEGATIVE_INFINITY
  private newest = Number.NEGATIVE_INFINITY
  private ascending = true

  constructor(options: ChartRowsOptions) {
    this.options = options
    const { adjustment, allowNonPositivePrices, clock, columns, liveAt, splits, timeframe } = options
    this.intraday = Timeframe.isIntraday(timeframe)
    this.length = intervals[timeframe].length ?? 0
    this.rules = { allowNonPositivePrices }
    let last = columns.rows - 1
    while (last >= 0 && Number.isNaN(columns.close[last] ?? Number.NaN)) last--
    this.last = last
    const known = Math.max(liveAt ?? 0, columns.timestamp[last] ?? 0) * 1000
    this.splits = adjustment === "raw" ? new SplitHistory(splits, sessionDate(known, clock, true)) : null
  }

  /** Reads at most `limit` rows; false when there are no more. */
  read(limit: number): boolean {
    const { rows } = this.options.columns
    const end = Math.min(rows, this.at + limit)
    for (; this.at < end; this.at++) this.row(this.at)
    if (this.at < rows) return true
    this.close()
    if (!this.ascending) this.sort()
    return false
  }

  private row(row: number): void {
    const { adjustment, columns, liveAt } = this.options
    const open = columns.open[row] ?? Number.NaN
    const high = columns.high[row] ?? Number.NaN
    const low = columns.low[row] ?? Number.NaN
    const close = columns.close[row] ?? Number.NaN
    // NaN in any of them makes the sum NaN.
    if (Number.isNaN(open + high + low + close)) {
      const reason = noPrice(columns, row)
      if (reason === null) this.tally.nulls++
      else this.rejected.push({ position: row, reason })
      return
    }
    const seconds = columns.timestamp[row] ?? 0
    const ts = seconds * 1000
    const volume = columns.volume?.[row] ?? Number.NaN
    const next: OpenBar = {
      stamp: this.stampOf(ts, row === this.last && seconds === liveAt),
      first: ts,
      open,
      high,
      low,
      close,
      volume: Number.isNaN(volume) ? null : volume,
      position: row
    }
    if (adjustment === "all" && !this.scale(next, columns.adjclose?.[row] ?? Number.NaN)) return
    if (this.splits !== null) this.unsplit(next, this.splits)
    this.add(next, row === this.last)
  }

  private stampOf(ts: number, live: boolean): number {
    const { clock, hours, timeframe } = this.options
    if (!this.intraday) return Timeframe.floor(timeframe, sessionDate(ts, clock, live))
    return timeframe === "30m" ? hours.barOf(ts, 2 * this.length) : ts
  }

  /** Dividends are worked into `adjclose` alone; the other prices follow it. */
  private scale(bar: OpenBar, adjclose: number): boolean {
    if (Number.isNaN(adjclose) || bar.close === 0) {
      this.rejected.push({ position: bar.position, reason: "adjclose is null, so there is nothing to adjust with" })
      return false
    }
    const factor = adjclose / bar.close
    if (factor !== 1) {
      // Not more digits than the vendor's own prices have.
      bar.open = shortest(Math.fround(bar.open * factor))
      bar.high = shortest(Math.fround(bar.high * factor))
      bar.low = shortest(Math.fround(bar.low * factor))
      bar.close = adjclose
    }
    return true
  }

  private unsplit(bar: OpenBar, splits: SplitHistory): void {
    const { denominator, numerator } = splits.after(bar.stamp)
    if (numerator === denominator) return
    const factor = numerator / denominator
    bar.open = shortestProduct(bar.open, factor)
    bar.high = shortestProduct(bar.high, factor)
    bar.low = shortestProduct(bar.low, factor)
    bar.close = shortestProduct(bar.close, factor)
    if (bar.volume !== null) bar.volume = (bar.volume * denominator) / numerator
  }

  private add(next: OpenBar, last: boolean): void {
    const { hours, liveAt, session, timeframe } = this.options
    const before = this.pending
    if (next.first === this.latest) {
      this.tally.duplicates++
      return
    }
    this.latest = next.first
    // Bars of the day open at a whole minute; only the price of this moment does not. Rows beyond what was asked for may follow it.
    if (this.intraday && ((last && next.first === (liveAt ?? 0) * 1000) || next.first % minute !== 0)) {
      if (before !== null && timeframe !== "30m" && within(next.first, before.first, this.length)) {
        this.tally.live++
        merge(before, next)
        return
      }
      // The price of the close, stamped behind it, is that of the last bar.
      if (session === "regular" && hours.isClosedAt(next.first)) {
        this.tally.outside++
        return
      }
      next.stamp = hours.barOf(next.first, timeframe === "30m" ? 2 * this.length : this.length)
    }
    if (next.stamp !== before?.stamp) {
      this.close()
      this.pending = next
    } else if (timeframe === "30m") merge(before, next)
    else if (!last) this.tally.duplicates++
    else {
      this.tally.live++
      // The day's own row and the live one say the same, and the live one says it later; of a longer bar it is a part.
      if (timeframe === "1d") this.pending = next
      else merge(before, next)
    }
  }

  /** The bar at hand is whole. */
  private close(): void {
    const whole = this.pending
    this.pending = null
    if (whole === null) return
    const { hours, range, session } = this.options
    const ts = whole.stamp
    if (ts < range.start || ts >= range.end || (this.intraday && !hours.covers(ts, session))) {
      this.tally.outside++
      return
    }
    const { close, high, low, open, position, volume } = whole
    const bar: Bar = { ts, open, high, low, close, volume, vwap: null, count: null }
    const defect = defectOf(bar, this.rules)
    if (defect !== null) {
      this.rejected.push({ position, reason: defect })
      return
    }
    if (ts <= this.newest) this.ascending = false
    else this.newest = ts
    this.bars.push(bar)
    this.positions.push(position)
  }

  /** Rows out of order: by stamp, the first of those that share one. */
  private sort(): void {
    const order = this.bars.map((bar, index) => ({ bar, position: this.positions[index] ?? 0 }))
    order.sort((a, b) => a.bar.ts - b.bar.ts || a.position - b.position)
    this.bars.length = 0
    this.positions.length = 0
    for (const { bar, position } of order) {
      if (bar.ts === this.bars.at(-1)?.ts) this.tally.duplicates++
      else {
        this.bars.push(bar)
        this.positions.push(position)
      }
    }
  }
}

const within = (instant: number, start: number, length: number): boolean => instant > start && instant - start < length

const merge = (into: OpenBar, next: OpenBar): void => {
  into.high = Math.max(into.high, next.high)
  into.low = Math.min(into.low, next.low)
  into.close = next.close
  if (next.volume !== null) into.volume = (into.volume ?? 0) + next.volume
}
