import { Effect, Result } from "effect"
import type { Excerpt } from "../../../services/Adapter.ts"
import { DecodeFailure, labelOf, unpackFor } from "./decodeFile.ts"
import type { FileParams } from "./FileRequest.ts"
import { jsonRows } from "./JsonRecords.ts"

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

/** The row of a payload that a position names: the line, or the item of a JSON array. */
export const locateRow = Effect.fnUntraced(function* (payload: Uint8Array, params: FileParams, position: number) {
  const { bytes, member } = yield* unpackFor(payload, params)
  const label = labelOf(params, member, position)
  const missing = new DecodeFailure({ position, message: `there is no ${label}` })
  if (params.decoding.format !== "json") {
    const text = lineAt(bytes, position)
    if (text === null) return yield* missing
    return { label, text } satisfies Excerpt
  }
  const rows = jsonRows(bytes, params.decoding.pointer)
  if (Result.isFailure(rows))
    return yield* new DecodeFailure({ position: null, message: `${params.path}: ${rows.failure}` })
  const row = rows.success[position]
  if (row === undefined) return yield* missing
  return { label, text: JSON.stringify(row), pointer: `${params.decoding.pointer}/${position}` } satisfies Excerpt
})
