/** Rows that somebody has, held against those that there were, each as often as it was. */
import type { Bar } from "../../src/domain/Bar.ts"
import type { StreamKind } from "../../src/domain/streams/StreamKind.ts"
import { type StreamRow, shapeOf } from "../../src/domain/streams/StreamRow.ts"

/** All that a row says; a bar's identity is its stamp alone. */
export const textOf = (kind: StreamKind): ((row: StreamRow) => string) => {
  if (kind !== "bars") return shapeOf(kind).identity
  return (row) => {
    const { close, count, high, low, open, ts, volume, vwap } = row as Bar
    return `${new Date(ts).toISOString()}|${open}|${high}|${low}|${close}|${volume}|${vwap}|${count}`
  }
}

/** Texts of rows that are too many, and of those that are missing. */
export const rowsCompared = (
  kind: StreamKind,
  had: ReadonlyArray<StreamRow>,
  were: ReadonlyArray<StreamRow>
): { readonly more: ReadonlyArray<string>; readonly less: ReadonlyArray<string> } => {
  const text = textOf(kind)
  const counts = new Map<string, number>()
  for (const row of were) {
    const key = text(row)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const more: Array<string> = []
  for (const row of had) {
    const key = text(row)
    const left = counts.get(key) ?? 0
    if (left === 0) more.push(key)
    else if (left === 1) counts.delete(key)
    else counts.set(key, left - 1)
  }
  return { more, less: [...counts].flatMap(([key, left]) => Array<string>(left).fill(key)) }
}
