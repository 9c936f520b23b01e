/**
 * Records of a series as an Arrow IPC file, as `tapestry dump` writes them; a block is one record batch. What is read is written again and
 * compared, so that no other bytes pass for the same rows. Loaded when an Arrow export is written or checked, and not before.
 */
import { tableFromIPC } from "apache-arrow"
import { Result } from "effect"
import type { Cell, Column } from "../../domain/records/Column.ts"
import { split } from "../../domain/records/EpochNanos.ts"
import { type AnyRecord, type RecordSeries, recordKinds, recordOf } from "../../domain/records/RecordKind.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import { recordBatches } from "./RecordsArrow.ts"
import type { BadBlock, FileRow, RowCodec } from "./RowCodec.ts"

const magicBytes = 8
const dayMillis = 86_400_000

const cellOf = ({ type }: Column, value: unknown): Cell => {
  if (value === null || value === undefined) return null
  switch (type) {
    case "real":
      return Number(value)
    case "integer":
      return Number(value)
    case "date":
      return new Date(Number(value) * dayMillis).toISOString().slice(0, 10)
    case "text":
      return String(value)
    case "json":
      return JSON.parse(String(value))
  }
}

export const arrow = (series: RecordSeries, lineage: boolean): RowCodec<AnyRecord> => {
  const { kind } = series
  const { columns, nanos } = recordKinds[kind]
  const about = { "tapestry.series": canonical(series) }
  const file = recordBatches(kind, lineage, about)

  const encode = (into: typeof file, rows: ReadonlyArray<FileRow<AnyRecord>>): Uint8Array =>
    into.batch(
      rows.map(({ position, response, row }) => ({
        series,
        row,
        ...(lineage ? { origin: { response: response ?? 0, position: position ?? 0 } } : {})
      }))
    )

  const rowsIn = (block: Uint8Array): ReadonlyArray<FileRow<AnyRecord>> => {
    const table = tableFromIPC(Buffer.concat([file.head.subarray(magicBytes), block]))
    // A damaged block may say anything of itself.
    if (table.numRows > block.length) return []
    const values = (name: string) => table.getChild(name)?.data[0]?.values as ArrayLike<unknown> | undefined
    const stamps = values("ts")
    const readers = columns.map((column) => {
      const vector = table.getChild(column.name)
      // As days since 1970; the library would make milliseconds of them.
      const days = column.type === "date" ? values(column.name) : undefined
      return (row: number): Cell => {
        const value: unknown = vector?.get(row)
        return cellOf(column, value === null || days === undefined ? value : days[row])
      }
    })
    const origin = (name: string) => {
      const found = lineage ? values(name) : undefined
      return (row: number): number | null => (found === undefined ? null : Number(found[row]))
    }
    const [response, position] = [origin("response"), origin("position")]
    return Array.from({ length: table.numRows }, (_, row) => {
      const stamp = BigInt(String(stamps?.[row]))
      const instant = nanos ? split(stamp) : { millis: Number(stamp), nanos: 0 }
      return {
        row: recordOf(
          kind,
          instant,
          readers.map((read) => read(row))
        ),
        response: response(row),
        position: position(row)
      }
    })
  }

  const decode = (block: Uint8Array): Result.Result<ReadonlyArray<FileRow<AnyRecord>>, BadBlock> =>
    Result.flatMap(
      Result.mapError(
        Result.try(() => rowsIn(block)),
        (): BadBlock => ({ row: null, what: "its record batch cannot be read" })
      ),
      (rows) => {
        const again = Result.try(() => encode(recordBatches(kind, lineage, about), rows))
        return Result.isSuccess(again) && Buffer.compare(again.success, block) === 0
          ? Result.succeed(rows)
          : Result.fail({ row: null, what: "its record batch is not as it was written" })
      }
    )

  return {
    isText: false,
    head: file.head,
    encode: (rows) =>
      encode(
        file,
        rows.map((exported) => ({ row: exported.row, ...exported.lineage }))
      ),
    tail: () => file.end(),
    decode,
    rowName: (row) => `row ${row + 1}`
  }
}
