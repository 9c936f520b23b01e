/** Between mismatches and their rows, and the steps in which many of them are written. */
import { type Mismatch, ReconciledField, type StoredMismatch } from "../../domain/Mismatch.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { num, numOrNull, type SqlRow } from "./rows.ts"

/** The column `field` is an index into these. */
export const fields: ReadonlyArray<Mismatch["field"]> = [...ReconciledField.literals, "row"]

/** Rows written in one step. */
const stepRows = 1_000

/** Cut so that no step writes many rows: each piece ends where its last row does, or at the end of the range. */
export const steps = (range: TimeRange, found: ReadonlyArray<Mismatch>) => {
  const inside = found.filter(({ ts }) => range.start <= ts && ts < range.end)
  const pieces: Array<{ readonly window: TimeRange; readonly rows: ReadonlyArray<Mismatch> }> = []
  let start = range.start
  for (let from = 0; from < inside.length; ) {
    let to = Math.min(inside.length, from + stepRows)
    const last = inside[to - 1]?.ts
    while (to < inside.length && inside[to]?.ts === last) to++
    const end = to < inside.length && last !== undefined ? last + 1 : range.end
    pieces.push({ window: { start, end }, rows: inside.slice(from, to) })
    start = end
    from = to
  }
  return pieces.length === 0 ? [{ window: range, rows: [] }] : pieces
}

export const toStored =
  (left: SeriesKey, right: SeriesKey) =>
  (row: SqlRow): StoredMismatch => ({
    left,
    right,
    mismatch: {
      ts: num(row[0]),
      field: fields[num(row[1])] ?? "row",
      left: numOrNull(row[2]),
      right: numOrNull(row[3])
    },
    foundAt: num(row[4]),
    resolvedAt: numOrNull(row[5])
  })

const keyOf = (ts: unknown, field: unknown): string => `${ts} ${field}`

/**
 * What a comparison changes. `open`: the rows (stamp, field, left, right) of the stamps it compared that are not resolved. What is found as
 * it was known stays; what is found with other values is resolved and added anew; what is not found is resolved.
 */
export const changesOf = (open: ReadonlyArray<SqlRow>, found: ReadonlyArray<Mismatch>) => {
  const before = new Map(open.map((row) => [keyOf(row[0], row[1]), row]))
  const resolved: Array<{ readonly ts: number; readonly field: number }> = []
  const added: Array<Omit<Mismatch, "field"> & { readonly field: number }> = []
  for (const mismatch of found) {
    const field = fields.indexOf(mismatch.field)
    const key = keyOf(mismatch.ts, field)
    const known = before.get(key)
    before.delete(key)
    if (known !== undefined && known[2] === mismatch.left && known[3] === mismatch.right) continue
    if (known !== undefined) resolved.push({ ts: mismatch.ts, field })
    added.push({ ...mismatch, field })
  }
  for (const row of before.values()) resolved.push({ ts: num(row[0]), field: num(row[1]) })
  return { resolved, added }
}
