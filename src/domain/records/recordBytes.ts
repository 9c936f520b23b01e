/**
 * One binary form of records, for hashing, as rowBytes.ts is for bars: whoever has the same rows, in whatever language and from whatever
 * file, computes the same sha256.
 *
 * The text that is hashed is the 20 bytes `tapestry.records.v1\n` and then each row: its stamp as a signed 64-bit integer, little endian
 * (nanoseconds of kinds that are stamped in them, else milliseconds), and its cells in the order of the columns of its kind. A cell is a
 * byte that says what follows: 0 nothing (null); 1 a number, as IEEE 754 double, little endian, -0 as 0; 2 text, or 3 JSON, as four bytes
 * (unsigned, little endian) that count the bytes of UTF-8 behind them. A date is text; JSON is as JSON.stringify writes it.
 */
import type { Cell, Column } from "./Column.ts"
import { type AnyRecord, cellOf, type RecordKind, recordKinds } from "./RecordKind.ts"

/** What a hash over records begins with. */
export const recordsHeader: Uint8Array = new TextEncoder().encode("tapestry.records.v1\n")

const utf8 = new TextEncoder()
/** Of a row without its texts. */
const fixed = (columns: number): number => 8 + 9 * columns

const textIn = ({ type }: Column, cell: Cell): string | null => {
  if (cell === null || typeof cell === "number") return type === "json" && cell !== null ? JSON.stringify(cell) : null
  return type === "json" ? JSON.stringify(cell) : String(cell)
}

/** The bytes of these records, without the header: a list may be hashed chunk by chunk, `recordsHeader` first. */
export const recordBytes = (kind: RecordKind, rows: ReadonlyArray<AnyRecord>): Uint8Array => {
  const { columns } = recordKinds[kind]
  let bytes = new Uint8Array(Math.max(1_024, rows.length * (fixed(columns.length) + 32)))
  let view = new DataView(bytes.buffer)
  let at = 0
  const reserve = (more: number): void => {
    if (at + more <= bytes.length) return
    const grown = new Uint8Array(2 * (at + more))
    grown.set(bytes.subarray(0, at))
    bytes = grown
    view = new DataView(bytes.buffer)
  }
  for (const row of rows) {
    reserve(fixed(columns.length))
    view.setBigInt64(at, "tsNs" in row ? row.tsNs : BigInt(row.ts), true)
    at += 8
    for (const column of columns) {
      const cell = cellOf(row, column)
      const text = textIn(column, cell)
      if (text !== null) {
        // Of a character there are at most three bytes a unit.
        reserve(fixed(columns.length) + 3 * text.length)
        const { written } = utf8.encodeInto(text, bytes.subarray(at + 5))
        view.setUint8(at, column.type === "json" ? 3 : 2)
        view.setUint32(at + 1, written, true)
        at += 5 + written
      } else if (typeof cell === "number") {
        view.setUint8(at, 1)
        view.setFloat64(at + 1, cell + 0, true)
        at += 9
      } else {
        view.setUint8(at, 0)
        at += 1
      }
    }
  }
  return bytes.subarray(0, at)
}
