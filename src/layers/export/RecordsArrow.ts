/**
 * Rows of any kind as an Arrow IPC file that `ingest` reads back exactly: each says which series it is of. `ts` is timestamp[ns, UTC] of
 * ticks and timestamp[ms, UTC] of other kinds; numbers are float64, whole ones int64, dates date32, JSON is text. Rows of small series share a
 * record batch.
 */
import { type Data, DateDay, Field, Float64, Int64, makeData, Schema, Timestamp, TimeUnit, Utf8 } from "apache-arrow"
import type { Bar } from "../../domain/Bar.ts"
import type { Cell, Column } from "../../domain/records/Column.ts"
import { type AnyRecord, cellOf, recordKinds } from "../../domain/records/RecordKind.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { ImportKind } from "../../services/Imports.ts"
import { columnsOf } from "../imports/importFields.ts"
import { ArrowFile } from "./ArrowFile.ts"
import { type Origin, partsOf, type RecordsWriter } from "./RecordsText.ts"

interface Row {
  readonly series: SeriesKey
  readonly row: Bar | AnyRecord
  /** Where it came from, of a file with lineage. */
  readonly origin?: Origin
}

const rowsOfBatch = 4_096
const dayMillis = 86_400_000

/** Which rows have a value; the library takes none where all have. */
const validity = <A>(
  values: ReadonlyArray<A | null>
): { readonly nullCount: number; readonly nullBitmap?: Uint8Array } => {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8))
  let nullCount = 0
  for (const [row, value] of values.entries()) {
    if (value === null) nullCount++
    else nullBitmap[row >> 3] = (nullBitmap[row >> 3] ?? 0) | (1 << (row & 7))
  }
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap }
}

const texts = (values: ReadonlyArray<string | null>): Data<Utf8> => {
  const valueOffsets = new Int32Array(values.length + 1)
  let end = 0
  for (const [row, value] of values.entries()) {
    if (value !== null) end += Buffer.byteLength(value)
    valueOffsets[row + 1] = end
  }
  // A copy: the library expects the bytes to stand alone.
  const data = Uint8Array.from(Buffer.from(values.join("")))
  return makeData({ type: new Utf8(), length: values.length, valueOffsets, data, ...validity(values) })
}

const numbers = (values: ReadonlyArray<number | null>): Data<Float64> =>
  makeData({
    type: new Float64(),
    length: values.length,
    data: Float64Array.from(values, (value) => (value ?? 0) + 0),
    ...validity(values)
  })

const asNumber = (cell: Cell): number | null => (typeof cell === "number" ? cell : null)
const asText = (cell: Cell): string | null => (typeof cell === "string" ? cell : null)

const typeOf = ({ type }: Column) => {
  switch (type) {
    case "real":
      return new Float64()
    case "integer":
      return new Int64()
    case "date":
      return new DateDay()
    case "text":
    case "json":
      return new Utf8()
  }
}

const cellsOf = ({ type }: Column, cells: ReadonlyArray<Cell>): Data => {
  switch (type) {
    case "real":
      return numbers(cells.map(asNumber))
    case "integer": {
      const data = BigInt64Array.from(cells, (cell) => BigInt(asNumber(cell) ?? 0))
      return makeData({ type: new Int64(), length: cells.length, data, ...validity(cells) })
    }
    case "date": {
      const data = Int32Array.from(cells, (cell) => (cell === null ? 0 : Date.parse(`${cell}T00:00:00Z`) / dayMillis))
      return makeData({ type: new DateDay(), length: cells.length, data, ...validity(cells) })
    }
    case "text":
      return texts(cells.map(asText))
    case "json":
      return texts(cells.map((cell) => (cell === null ? null : JSON.stringify(cell))))
  }
}

const integers = (values: ReadonlyArray<number>): Data<Int64> =>
  makeData({ type: new Int64(), length: values.length, data: BigInt64Array.from(values, BigInt) })

/** A file batch by batch; one of these writes one file. `lineage` adds the columns `response` and `position`. */
export const recordBatches = (kind: ImportKind, lineage = false, about: Readonly<Record<string, string>> = {}) => {
  const columns = columnsOf(kind)
  const parts = partsOf(kind)
  const inNanos = kind !== "bar" && recordKinds[kind].nanos
  const stamp = new Timestamp(inNanos ? TimeUnit.NANOSECOND : TimeUnit.MILLISECOND, "UTC")
  const always = new Set(["vendor", "symbol"])
  const file = new ArrowFile(
    new Schema(
      [
        ...parts.map((part) => new Field(part, new Utf8(), !always.has(part))),
        new Field("ts", stamp, false),
        ...columns.map((column) => new Field(column.name, typeOf(column), column.nullable)),
        ...(lineage ? ["response", "position"].map((name) => new Field(name, new Int64(), false)) : [])
      ],
      new Map(Object.entries(about))
    )
  )

  const batch = (rows: ReadonlyArray<Row>): Uint8Array => {
    const data = BigInt64Array.from(rows, ({ row }) => ("tsNs" in row ? row.tsNs : BigInt(row.ts)))
    return file.batch(
      [
        ...parts.map((part) => texts(rows.map(({ series }) => series[part]))),
        makeData({ type: stamp, length: rows.length, data }),
        // A bar has the columns of a bar; its cells are read by name as those of a record are.
        ...columns.map((column) =>
          cellsOf(
            column,
            rows.map(({ row }) => cellOf(row as AnyRecord, column))
          )
        ),
        ...(lineage
          ? (["response", "position"] as const).map((name) => integers(rows.map(({ origin }) => origin?.[name] ?? 0)))
          : [])
      ],
      rows.length
    )
  }

  return { head: file.head, batch, end: (): Uint8Array => file.end() }
}

/** One writer writes one file. */
export const recordsArrow = (kind: ImportKind): RecordsWriter => {
  const { batch, end, head } = recordBatches(kind)
  let held: Array<Row> = []
  return {
    head,
    rows: (series, rows) => {
      for (const row of rows) held.push({ series, row })
      if (held.length < rowsOfBatch) return new Uint8Array()
      const full = held
      held = []
      return batch(full)
    },
    tail: () => {
      const rest = held.length === 0 ? new Uint8Array() : batch(held)
      return Buffer.concat([rest, end()])
    }
  }
}
