/** The piece of an imported segment behind a row. */
import type { Schema } from "effect"
import type { Excerpt } from "../../services/Adapter.ts"

/** The source that imports are archived under. */
export const importSource = "import"

const newline = 10
const utf8 = new TextDecoder()
/** Characters that are shown of a line. */
const shown = 2_000

const field = (params: Schema.Json, name: string): unknown =>
  typeof params === "object" && params !== null ? Reflect.get(params, name) : undefined

/**
 * `position` counts the lines of the segment from 1; the label counts them in the whole text. A CSV row whose quoted fields have line
 * ends is shown up to the first of them.
 */
export const importedLine = (payload: Uint8Array, position: number, params: Schema.Json): Excerpt => ({
  label: `line ${numberInText(position, params)} of ${nameOf(params)}`,
  text: lineAt(payload, position)
})

export const nameOf = (params: Schema.Json): string => String(field(params, "name"))

/** What the row at a position of a segment is in the whole text, from 1. */
export const numberInText = (position: number, params: Schema.Json): number => {
  const first = field(params, "line")
  return position + (typeof first === "number" ? first - 1 : 0)
}

/** A line of a payload, from 1, cut after 2,000 characters. */
export const lineAt = (payload: Uint8Array, position: number): string => wholeLine(payload, position).slice(0, shown)

export const wholeLine = (payload: Uint8Array, position: number): string => {
  let at = 0
  for (let line = 1; line < position && at >= 0; line++) at = payload.indexOf(newline, at) + 1
  const end = payload.indexOf(newline, at)
  return utf8.decode(payload.subarray(at, end < 0 ? payload.length : end)).replace(/\r$/, "")
}
