/** Rows as CSV and NDJSON, as `tapestry bars` writes them, with the columns `response` and `position` where lineage is asked for. */
import { Result } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import { barDocument, csvFields, csvHeader, csvRows, ndjsonRows } from "./BarsText.ts"
import type { BadBlock, ExportedRow, FileRow, RowCodec } from "./RowCodec.ts"

const encoder = new TextEncoder()
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const nothing = new Uint8Array()

const csvLineageHeader = `${csvHeader.trimEnd()},response,position\n`

const csvLineageRows = (rows: ReadonlyArray<ExportedRow<Bar>>): string => {
  let text = ""
  for (const { lineage, row: bar } of rows) text += `${csvFields(bar)},${lineage.response},${lineage.position}\n`
  return text
}

const ndjsonLineageRows = (rows: ReadonlyArray<ExportedRow<Bar>>): string => {
  let text = ""
  for (const { lineage, row: bar } of rows) {
    text += `${JSON.stringify({ ...barDocument(bar), response: lineage.response, position: lineage.position })}\n`
  }
  return text
}

const barsOf = (rows: ReadonlyArray<ExportedRow<Bar>>): ReadonlyArray<Bar> => rows.map(({ row }) => row)

/** The number that a text is the shortest form of; NaN where it is not the one. */
const numberOf = (text: string | undefined): number => {
  const value = Number(text)
  return String(value) === text && Number.isFinite(value) ? value : Number.NaN
}

const stampOf = (text: unknown): number => {
  const millis = typeof text === "string" ? Date.parse(text) : Number.NaN
  return Number.isNaN(millis) || new Date(millis).toISOString() !== text ? Number.NaN : millis
}

/** The first field of a bar that is no number. */
const unreadableOf = (bar: Bar): string | null => {
  if (Number.isNaN(bar.ts)) return "ts"
  if (Number.isNaN(bar.open)) return "open"
  if (Number.isNaN(bar.high)) return "high"
  if (Number.isNaN(bar.low)) return "low"
  if (Number.isNaN(bar.close)) return "close"
  if (Number.isNaN(bar.volume)) return "volume"
  if (Number.isNaN(bar.vwap)) return "vwap"
  return Number.isNaN(bar.count) ? "count" : null
}

const csvRow = (line: string, lineage: boolean): FileRow<Bar> | string => {
  const fields = line.split(",")
  if (fields.length !== (lineage ? 10 : 8)) return `it has ${fields.length} fields`
  const nullable = (text: string | undefined): number | null => (text === "" ? null : numberOf(text))
  const [ts, open, high, low, close, volume, vwap, count, response, position] = fields
  const bar: Bar = {
    ts: stampOf(ts),
    open: numberOf(open),
    high: numberOf(high),
    low: numberOf(low),
    close: numberOf(close),
    volume: nullable(volume),
    vwap: nullable(vwap),
    count: nullable(count)
  }
  const unreadable = unreadableOf(bar)
  if (unreadable !== null) return `its ${unreadable} cannot be read`
  const row = { row: bar, response: lineage ? numberOf(response) : null, position: lineage ? numberOf(position) : null }
  return Number.isNaN(row.response) || Number.isNaN(row.position) ? "its response or position cannot be read" : row
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)

const jsonRow = (line: string, lineage: boolean): FileRow<Bar> | string => {
  const parsed = Result.try((): unknown => JSON.parse(line))
  if (Result.isFailure(parsed) || typeof parsed.success !== "object" || parsed.success === null) return "it is not JSON"
  const field = (name: string): unknown => Reflect.get(Object(parsed.success), name)
  const number = (name: string): number => {
    const value = field(name)
    return isNumber(value) ? value : Number.NaN
  }
  const nullable = (name: string): number | null => {
    const value = field(name)
    return value === undefined || value === null ? null : number(name)
  }
  const bar: Bar = {
    ts: stampOf(field("ts")),
    open: number("open"),
    high: number("high"),
    low: number("low"),
    close: number("close"),
    volume: nullable("volume"),
    vwap: nullable("vwap"),
    count: nullable("count")
  }
  const unreadable = unreadableOf(bar)
  if (unreadable !== null) return `its ${unreadable} cannot be read`
  const origin = lineage ? { response: number("response"), position: number("position") } : {}
  if (JSON.stringify({ ...barDocument(bar), ...origin }) !== line) return "it is not as it was written"
  return { row: bar, response: origin.response ?? null, position: origin.position ?? null }
}

const decodeLines =
  (read: (line: string) => FileRow<Bar> | string) =>
  (block: Uint8Array): Result.Result<ReadonlyArray<FileRow<Bar>>, BadBlock> => {
    const text = Result.try(() => utf8.decode(block))
    if (Result.isFailure(text)) return Result.fail({ row: null, what: "it is not UTF-8" })
    const lines = text.success.split("\n")
    if (lines.pop() !== "") return Result.fail({ row: lines.length, what: "its line has no end" })
    const rows: Array<FileRow<Bar>> = []
    for (const [index, line] of lines.entries()) {
      const row = read(line)
      if (typeof row === "string") return Result.fail({ row: index, what: row })
      rows.push(row)
    }
    return Result.succeed(rows)
  }

export const csv = (lineage: boolean): RowCodec<Bar> => ({
  isText: true,
  head: encoder.encode(lineage ? csvLineageHeader : csvHeader),
  encode: (rows) => encoder.encode(lineage ? csvLineageRows(rows) : csvRows(barsOf(rows))),
  tail: () => nothing,
  decode: decodeLines((line) => csvRow(line, lineage)),
  rowName: (row) => `line ${row + 2}`
})

export const ndjson = (lineage: boolean): RowCodec<Bar> => ({
  isText: true,
  head: nothing,
  encode: (rows) => encoder.encode(lineage ? ndjsonLineageRows(rows) : ndjsonRows(barsOf(rows))),
  tail: () => nothing,
  decode: decodeLines((line) => jsonRow(line, lineage)),
  rowName: (row) => `line ${row + 1}`
})
