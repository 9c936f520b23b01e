import { floor, isIntraday, type Timeframe } from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { ZoneClock } from "../../../domain/ZoneClock.ts"
import type { Records } from "./Records.ts"
import type { TimestampReader } from "./timestamp.ts"

const dayMillis = 86_400_000

export interface StampRules {
  readonly timeframe: Timeframe
  readonly reader: TimestampReader
  readonly clock: ZoneClock
  readonly zone: string
  /** The stamps that a file of this date may hold; null for files without a date. */
  readonly period: TimeRange | null
}

/**
 * The stamps of the rows of one file, in the file's order.
 *
 * A day and longer: the date in the zone (of the week's Monday, of the month's first) at 00:00Z. Shorter: the instant of the
 * local time. Where clocks go back a local time happens twice: a row takes the first of the two that lies behind the row
 * before it (before it, in a file that runs backwards), so that a file in order keeps both hours apart. Where clocks go
 * forward a local time does not exist, and such a row is bad: its zone is wrong or its stamp is.
 */
export class RowStamps {
  problem: string | null = null
  private readonly rules: StampRules
  private readonly intraday: boolean
  private previous = Number.NaN
  private backwards = false

  constructor(rules: StampRules) {
    this.rules = rules
    this.intraday = isIntraday(rules.timeframe)
  }

  /** The stamp of the current row, or NaN and a `problem`. */
  read(records: Records, field: number): number {
    const { clock, period, reader, timeframe } = this.rules
    this.problem = null
    const value = reader.read(records.bytes, records.starts[field] ?? 0, records.ends[field] ?? 0)
    if (Number.isNaN(value)) {
      this.problem = `ts: ${JSON.stringify(records.text(field))} is not a stamp in the format of this file`
      return Number.NaN
    }
    let stamp: number
    if (this.intraday) {
      stamp = reader.local ? this.instantOf(value, records, field) : value
      if (this.problem !== null) return Number.NaN
    } else {
      const local = reader.local ? value : value + clock.offsetAt(value)
      stamp = floor(timeframe, Math.floor(local / dayMillis) * dayMillis)
    }
    if (stamp < this.previous) this.backwards = true
    else if (stamp > this.previous) this.backwards = false
    this.previous = stamp
    if (period !== null && (stamp < period.start || stamp >= period.end)) {
      this.problem = `ts: ${new Date(stamp).toISOString()} lies outside the date in the file's path`
      return Number.NaN
    }
    return stamp
  }

  private instantOf(local: number, records: Records, field: number): number {
    const { clock, zone } = this.rules
    const quick = clock.quick(local)
    if (!Number.isNaN(quick)) return quick
    const found = clock.resolve(local)
    switch (found._tag) {
      case "Once":
        return found.at
      case "Twice":
        if (Number.isNaN(this.previous)) return found.earlier
        if (this.backwards) return found.later < this.previous ? found.later : found.earlier
        return found.earlier > this.previous ? found.earlier : found.later
      case "Never":
        this.problem = `ts: ${JSON.stringify(records.text(field))} does not exist in ${zone}, where clocks went forward over it; is the zone right?`
        return Number.NaN
    }
  }
}
