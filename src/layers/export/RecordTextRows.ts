/**
 * Records of a series as CSV and NDJSON, as `tapestry dump` writes them. What is read is written again and compared, so that no
 * other text passes for the same rows.
 */
import { Result } from "effect"
import type { Cell, Column } from "../../domain/records/Column.ts"
import { instantReader } from "../../domain/records/instantText.ts"
import { type AnyRecord, type RecordSeries, recordKinds, recordOf } from "../../domain/records/RecordKind.ts"
import { CsvRecords } from "../adapters/records/CsvRecords.ts"
import { cellFrom, Refused, stampFrom } from "../imports/cells.ts"
import { partsOf, recordsText, type TextFormat } from "./RecordsText.ts"
import type { BadBlock, FileRow, RowCodec } from "./RowCodec.ts"

const encoder = new TextEncoder()
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const quote = 34

/** What a row says at its stamp, at its columns and of its origin; a sentence where it cannot be read. */
interface Read {
  readonly stamp: unknown
  readonly cellAt: (column: Column, index: number) => Cell
  readonly response: number | null
  readonly position: number | null
}
type Reader = (block: Uint8Array) => () => Read | string | null

const parsed = (text: string): Result.Result<Cell, unknown> => Result.try((): Cell => JSON.parse(text))

const ndjsonReader =
  (lineage: boolean): Reader =>
  (block) => {
    const lines = utf8.decode(block).split("\n")
    let at = 0
    return () => {
      const line = lines[at++]
      if (line === undefined || (line === "" && at === lines.length)) return null
      const value = parsed(line)
      if (Result.isFailure(value) || typeof value.success !== "object" || value.success === null)
        return "it is not JSON"
      const field = (name: string): Cell => Reflect.get(Object(value.success), name) ?? null
      return {
        stamp: field("ts"),
        cellAt: ({ name }) => field(name),
        response: lineage ? Number(field("response")) : null,
        position: lineage ? Number(field("position")) : null
      }
    }
  }

const csvReader =
  (before: number, columns: number, lineage: boolean): Reader =>
  (block) => {
    const records = new CsvRecords(block, ",")
    const count = before + 1 + columns + (lineage ? 2 : 0)
    return () => {
      if (!records.next()) return null
      if (records.problem !== null) return records.problem
      if (records.fields !== count) return `it has ${records.fields} fields`
      const given = (field: number): string | null => {
        const text = records.text(field)
        return text === "" && block[(records.starts[field] ?? 0) - 1] !== quote ? null : text
      }
      return {
        stamp: given(before),
        cellAt: ({ type }, index) => {
          const text = given(before + 1 + index)
          return type === "json" && text !== null ? Result.getOrElse(parsed(text), () => text) : text
        },
        response: lineage ? Number(given(count - 2)) : null,
        position: lineage ? Number(given(count - 1)) : null
      }
    }
  }

export const text = (series: RecordSeries, format: TextFormat, lineage: boolean): RowCodec<AnyRecord> => {
  const { kind } = series
  const { columns, nanos } = recordKinds[kind]
  const writer = recordsText(kind, format, lineage)
  const before = partsOf(kind).length
  const reader = format === "csv" ? csvReader(before, columns.length, lineage) : ndjsonReader(lineage)

  const written = (rows: ReadonlyArray<FileRow<AnyRecord>>): string =>
    lineage
      ? writer.rows(
          series,
          rows.map(({ row }) => row),
          rows.map(({ position, response }) => ({ response: response ?? 0, position: position ?? 0 }))
        )
      : writer.rows(
          series,
          rows.map(({ row }) => row)
        )

  const rowOf = (read: Read, readInstant: ReturnType<typeof instantReader>): FileRow<AnyRecord> | string => {
    const stamp = stampFrom(typeof read.stamp === "string" ? read.stamp : null, nanos, readInstant)
    if (stamp instanceof Refused) return `its ts cannot be read`
    const cells: Array<Cell> = []
    for (const [index, column] of columns.entries()) {
      const cell = cellFrom(column, read.cellAt(column, index))
      if (cell instanceof Refused) return `its ${column.name} cannot be read`
      cells.push(cell)
    }
    return { row: recordOf(kind, stamp, cells), response: read.response, position: read.position }
  }

  const decode = (block: Uint8Array): Result.Result<ReadonlyArray<FileRow<AnyRecord>>, BadBlock> => {
    const opened = Result.try(() => reader(block))
    if (Result.isFailure(opened)) return Result.fail({ row: null, what: "it is not UTF-8" })
    const next = opened.success
    const readInstant = instantReader()
    const rows: Array<FileRow<AnyRecord>> = []
    for (let read = next(); read !== null; read = next()) {
      const row = typeof read === "string" ? read : rowOf(read, readInstant)
      if (typeof row === "string") return Result.fail({ row: rows.length, what: row })
      rows.push(row)
    }
    if (Buffer.compare(encoder.encode(written(rows)), block) === 0) return Result.succeed(rows)
    return Result.fail({ row: firstUnlike(rows, block), what: "it is not as it was written" })
  }

  /** The first row whose text is another one than the block has. */
  const firstUnlike = (rows: ReadonlyArray<FileRow<AnyRecord>>, block: Uint8Array): number => {
    let at = 0
    return rows.findIndex((row) => {
      const bytes = encoder.encode(written([row]))
      at += bytes.length
      return Buffer.compare(bytes, block.subarray(at - bytes.length, at)) !== 0
    })
  }

  return {
    // A text of CSV may have line ends of its own.
    isText: format === "ndjson",
    head: encoder.encode(writer.head),
    encode: (rows) =>
      encoder.encode(
        writer.rows(
          series,
          rows.map(({ row }) => row),
          lineage ? rows.map((exported) => exported.lineage) : undefined
        )
      ),
    tail: () => new Uint8Array(),
    decode,
    rowName: format === "csv" ? (row) => `row ${row + 1}` : (row) => `line ${row + 1}`
  }
}
