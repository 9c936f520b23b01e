/**
 * Rows of any kind as NDJSON and CSV that `ingest` reads back exactly: each says which series it is of. Instants are ISO 8601 in UTC,
 * of ticks with nine digits of a second; outside the years 0001 to 9999 they are milliseconds. In CSV no value is empty, and the empty
 * text is two quotes.
 */
import type { Bar } from "../../domain/Bar.ts"
import { isInCalendar } from "../../domain/Instant.ts"
import type { Cell, Column } from "../../domain/records/Column.ts"
import { isoNanos } from "../../domain/records/instantText.ts"
import { type AnyRecord, cellOf } from "../../domain/records/RecordKind.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { iso } from "../../domain/TimeRange.ts"
import type { ImportKind } from "../../services/Imports.ts"
import { columnsOf } from "../imports/importFields.ts"

export type TextFormat = "ndjson" | "csv"

/** The parts of a series key that are columns, in their order. */
export const partsOf = (kind: ImportKind) =>
  kind === "bar"
    ? (["vendor", "dataset", "symbol", "timeframe", "price", "session", "currency", "adjustment"] as const)
    : (["vendor", "dataset", "symbol", "currency"] as const)

const stampOf = (row: Bar | AnyRecord): string => {
  if ("tsNs" in row) return isoNanos(row.tsNs)
  return isInCalendar(row.ts) ? iso(row.ts) : String(row.ts)
}

const quoted = (text: string): string =>
  text === "" || /[",\r\n]/.test(text) || text.trim() !== text ? `"${text.replaceAll('"', '""')}"` : text

const csvCell = (column: Column, cell: Cell): string => {
  if (cell === null) return ""
  if (column.type === "json") return quoted(JSON.stringify(cell))
  return typeof cell === "string" ? quoted(cell) : String(cell)
}

/** Rows to the bytes or the text of a file; it may hold back rows until there are more, or until the end. */
export interface RecordsWriter {
  /** What stands before all rows. */
  readonly head: string | Uint8Array
  readonly rows: (series: SeriesKey, rows: ReadonlyArray<Bar | AnyRecord>) => string | Uint8Array
  /** What stands behind them; nothing can be written any more. */
  readonly tail: () => string | Uint8Array
}

/** The answer that a row came from, and where it is in it. */
export interface Origin {
  readonly response: number
  readonly position: number
}

export interface RecordsText extends RecordsWriter {
  readonly head: string
  /**
   * A line a row, each with its end. To be kept for many calls: what it knows of a series it finds out once. `origins` are where the rows
   * came from, of a text with lineage.
   */
  readonly rows: (series: SeriesKey, rows: ReadonlyArray<Bar | AnyRecord>, origins?: ReadonlyArray<Origin>) => string
  readonly tail: () => string
}

// A bar has the columns of a bar; its cells are read by name as those of a record are.
const cell = (row: Bar | AnyRecord, column: Column): Cell => cellOf(row as AnyRecord, column)

/** Numbers, the commonest of all, without a call into the engine. */
const json = (value: Cell): string =>
  typeof value === "number" && Number.isFinite(value) ? String(value) : JSON.stringify(value)

/** With `lineage` there are two columns more, `response` and `position`, which `ingest` passes over. */
export const recordsText = (kind: ImportKind, format: TextFormat, lineage = false): RecordsText => {
  const columns = columnsOf(kind)
  const parts = partsOf(kind)
  if (format === "csv") {
    return {
      head: `${[...parts, "ts", ...columns.map(({ name }) => name), ...(lineage ? ["response", "position"] : [])].join(",")}\n`,
      rows: (series, rows, origins) => {
        const key = parts.map((part) => (series[part] === null ? "" : quoted(String(series[part])))).join(",")
        let text = ""
        for (const [index, row] of rows.entries()) {
          text += `${key},${stampOf(row)}`
          for (const column of columns) text += `,${csvCell(column, cell(row, column))}`
          const origin = origins?.[index]
          text += origin === undefined ? "\n" : `,${origin.response},${origin.position}\n`
        }
        return text
      },
      tail: () => ""
    }
  }
  const named = columns.map((column) => ({ column, name: `,${JSON.stringify(column.name)}:` }))
  const begun = new WeakMap<SeriesKey, string>()
  const beginOf = (series: SeriesKey): string => {
    const known = begun.get(series)
    if (known !== undefined) return known
    const key = Object.fromEntries(parts.flatMap((part) => (series[part] === null ? [] : [[part, series[part]]])))
    const begin = `${JSON.stringify(key).slice(0, -1)},"ts":"`
    begun.set(series, begin)
    return begin
  }
  return {
    head: "",
    rows: (series, rows, origins) => {
      const begin = beginOf(series)
      let text = ""
      for (const [index, row] of rows.entries()) {
        text += `${begin}${stampOf(row)}"`
        for (const { column, name } of named) text += name + json(cell(row, column))
        const origin = origins?.[index]
        text += origin === undefined ? "}\n" : `,"response":${origin.response},"position":${origin.position}}\n`
      }
      return text
    },
    tail: () => ""
  }
}
