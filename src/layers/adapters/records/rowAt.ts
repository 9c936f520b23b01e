import { Result } from "effect"
import { columnarRow, jsonDocument, jsonRows } from "./JsonRecords.ts"
import type { RowDecoding } from "./RowDecoding.ts"

const utf8 = new TextDecoder()

/** A line by its 1-based number, without its end; null when the text has fewer. */
const lineAt = (bytes: Uint8Array, line: number): string | null => {
  let start = 0
  for (let at = 1; at < line; at++) {
    const end = bytes.indexOf(10, start)
    if (end === -1) return null
    start = end + 1
  }
  if (line < 1 || start >= bytes.length) return null
  const found = bytes.indexOf(10, start)
  return utf8.decode(bytes.subarray(start, found === -1 ? bytes.length : found)).replace(/\r$/, "")
}

/** The text of the row at a position: the line, or the item of a JSON array with its pointer. Null where there is none. */
export const rowAt = (
  bytes: Uint8Array,
  decoding: RowDecoding,
  position: number
): Result.Result<{ readonly text: string; readonly pointer: string | null } | null, string> => {
  if (decoding.format !== "json") {
    const text = lineAt(bytes, position)
    return Result.succeed(text === null ? null : { text, pointer: null })
  }
  if (decoding.shape === "columns") {
    return Result.map(jsonDocument(bytes), (document) => {
      const text = columnarRow(document, decoding, position)
      return text === null ? null : { text, pointer: decoding.pointer }
    })
  }
  return Result.map(jsonRows(bytes, decoding.pointer), (rows) => {
    const row = rows[position]
    return row === undefined ? null : { text: JSON.stringify(row), pointer: `${decoding.pointer}/${position}` }
  })
}
