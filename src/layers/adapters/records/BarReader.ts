import { type Bar, type BarRules, defectOf } from "../../../domain/Bar.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import { parseDecimal } from "./decimal.ts"
import type { ColumnIndex, Records } from "./Records.ts"
import type { RowStamps } from "./RowStamps.ts"

export interface BarReaderOptions {
  readonly columns: ColumnIndex
  /** How many fields a row must have; null where rows are not lists. */
  readonly width: number | null
  readonly stamps: RowStamps
  readonly scale: number
  readonly nulls: ReadonlyArray<string>
  readonly rules: BarRules
  readonly range: TimeRange
}

/**
 * Reads rows as bars. Of a row outside the range only the stamp is read. A row whose four prices are all null tokens has no bar
 * (the side of a quote file where nobody quoted); one that lacks only some of them is bad.
 */
export class BarReader {
  problem: string | null = null
  private readonly options: BarReaderOptions
  private readonly nullLengths: ReadonlySet<number>
  private readonly nulls: ReadonlySet<string>

  constructor(options: BarReaderOptions) {
    this.options = options
    this.nulls = new Set(options.nulls)
    this.nullLengths = new Set(options.nulls.map((token) => token.length))
  }

  private isNull(records: Records, field: number): boolean {
    const length = (records.ends[field] ?? 0) - (records.starts[field] ?? 0)
    return this.nullLengths.has(length) && this.nulls.has(records.text(field))
  }

  /** A number, null for a null token; NaN, with a `problem`, for anything else. */
  private number(records: Records, field: number, name: string, scale: number): number | null {
    if (field < 0) return null
    const value = parseDecimal(records.bytes, records.starts[field] ?? 0, records.ends[field] ?? 0, scale)
    if (!Number.isNaN(value)) return value
    if (this.isNull(records, field)) return null
    this.problem ??= `${name}: ${JSON.stringify(records.text(field))} is not a number`
    return Number.NaN
  }

  /** The bar of the current row; null where it has none in the range, or, with a `problem`, where it is bad. */
  read(records: Records): Bar | null {
    const { columns, range, rules, scale, stamps, width } = this.options
    this.problem = records.problem
    if (this.problem !== null) return null
    if (width !== null && records.fields !== width) {
      this.problem = `the row has ${records.fields} fields, expected ${width}`
      return null
    }
    const ts = stamps.read(records, columns.ts)
    if (Number.isNaN(ts)) {
      this.problem = stamps.problem
      return null
    }
    if (ts < range.start || ts >= range.end) return null
    const open = this.number(records, columns.open, "open", scale)
    const high = this.number(records, columns.high, "high", scale)
    const low = this.number(records, columns.low, "low", scale)
    const close = this.number(records, columns.close, "close", scale)
    if (open === null || high === null || low === null || close === null) {
      if (open !== null || high !== null || low !== null || close !== null) {
        const name = open === null ? "open" : high === null ? "high" : low === null ? "low" : "close"
        this.problem ??= `${name} has no value and the other prices have`
      }
      return null
    }
    const bar: Bar = {
      ts,
      open,
      high,
      low,
      close,
      volume: this.number(records, columns.volume, "volume", 1),
      vwap: this.number(records, columns.vwap, "vwap", scale),
      count: this.number(records, columns.count, "count", 1)
    }
    this.problem ??= defectOf(bar, rules)
    return this.problem === null ? bar : null
  }
}
