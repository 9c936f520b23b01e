/**
 * Rows as an Arrow IPC file: `ts` as timestamp[ms, UTC], prices as float64, volume, vwap and count as float64 that may be null, and
 * `response` and `position` as int64 where lineage is asked for. A block is one record batch.
 * Loaded when an Arrow export is written or checked, and not before.
 */
import { type Data, Field, Float64, Int64, makeData, Schema, Timestamp, TimeUnit, tableFromIPC } from "apache-arrow"
import { Result } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import { ArrowFile } from "./ArrowFile.ts"
import type { BadBlock, ExportedRow, FileRow, RowCodec } from "./RowCodec.ts"

const fieldsOf = (lineage: boolean) => [
  new Field("ts", new Timestamp(TimeUnit.MILLISECOND, "UTC"), false),
  ...["open", "high", "low", "close"].map((name) => new Field(name, new Float64(), false)),
  ...["volume", "vwap", "count"].map((name) => new Field(name, new Float64(), true)),
  ...(lineage ? ["response", "position"].map((name) => new Field(name, new Int64(), false)) : [])
]

const nullable = (rows: ReadonlyArray<ExportedRow<Bar>>, value: (bar: Bar) => number | null): Data<Float64> => {
  const data = new Float64Array(rows.length)
  const nullBitmap = new Uint8Array(Math.ceil(rows.length / 8))
  let nullCount = 0
  for (const [index, { row: bar }] of rows.entries()) {
    const found = value(bar)
    if (found === null) nullCount++
    else {
      data[index] = found + 0
      nullBitmap[index >> 3] = (nullBitmap[index >> 3] ?? 0) | (1 << (index & 7))
    }
  }
  return makeData({
    type: new Float64(),
    length: rows.length,
    nullCount,
    data,
    ...(nullCount === 0 ? {} : { nullBitmap })
  })
}

const prices = (rows: ReadonlyArray<ExportedRow<Bar>>, value: (bar: Bar) => number): Data<Float64> =>
  makeData({ type: new Float64(), length: rows.length, data: Float64Array.from(rows, ({ row }) => value(row) + 0) })

const integers = (rows: ReadonlyArray<ExportedRow<Bar>>, value: (row: ExportedRow<Bar>) => number) =>
  BigInt64Array.from(rows, (row) => BigInt(value(row)))

const columnsOf = (rows: ReadonlyArray<ExportedRow<Bar>>, lineage: boolean) => [
  makeData({
    type: new Timestamp(TimeUnit.MILLISECOND, "UTC"),
    length: rows.length,
    data: integers(rows, ({ row }) => row.ts)
  }),
  prices(rows, ({ open }) => open),
  prices(rows, ({ high }) => high),
  prices(rows, ({ low }) => low),
  prices(rows, ({ close }) => close),
  nullable(rows, ({ volume }) => volume),
  nullable(rows, ({ vwap }) => vwap),
  nullable(rows, ({ count }) => count),
  ...(lineage
    ? [
        makeData({
          type: new Int64(),
          length: rows.length,
          data: integers(rows, ({ lineage: from }) => from.response)
        }),
        makeData({ type: new Int64(), length: rows.length, data: integers(rows, ({ lineage: from }) => from.position) })
      ]
    : [])
]

const magicBytes = 8

export const arrow = (lineage: boolean, about: Readonly<Record<string, string>>): RowCodec<Bar> => {
  const file = new ArrowFile(new Schema(fieldsOf(lineage), new Map(Object.entries(about))))
  const { head } = file

  const decode = (block: Uint8Array): Result.Result<ReadonlyArray<FileRow<Bar>>, BadBlock> =>
    Result.mapError(
      Result.try(() => {
        const table = tableFromIPC(Buffer.concat([head.subarray(magicBytes), block]))
        // A damaged block may say anything of itself.
        if (table.numRows > block.length) return []
        const column = (name: string) => table.getChild(name)
        const stamps = column("ts")?.data[0]?.values
        const value = (name: string) => {
          const vector = column(name)
          return (row: number): number | null => (vector === null ? null : vector.get(row))
        }
        const whole = (name: string) => {
          const found = value(name)
          return (row: number): number | null => {
            const integer: unknown = found(row)
            return typeof integer === "bigint" ? Number(integer) : null
          }
        }
        const [open, high, low, close] = [value("open"), value("high"), value("low"), value("close")]
        const [volume, vwap, count] = [value("volume"), value("vwap"), value("count")]
        const [response, position] = [whole("response"), whole("position")]
        return Array.from(
          { length: table.numRows },
          (_, row): FileRow<Bar> => ({
            row: {
              ts: Number(stamps?.[row] ?? Number.NaN),
              open: open(row) ?? Number.NaN,
              high: high(row) ?? Number.NaN,
              low: low(row) ?? Number.NaN,
              close: close(row) ?? Number.NaN,
              volume: volume(row),
              vwap: vwap(row),
              count: count(row)
            },
            response: response(row),
            position: position(row)
          })
        )
      }),
      (): BadBlock => ({ row: null, what: "its record batch cannot be read" })
    )

  return {
    isText: false,
    head,
    encode: (rows) => file.batch(columnsOf(rows, lineage), rows.length),
    tail: () => file.end(),
    decode,
    rowName: (row) => `row ${row + 1}`
  }
}
