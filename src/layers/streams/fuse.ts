import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import { type StreamRow, shapeOf } from "../../domain/streams/StreamRow.ts"

/** `rows` are to be told, in time order; `added` are those that the history brought. */
export interface Fused {
  readonly rows: ReadonlyArray<StreamRow>
  readonly added: ReadonlySet<StreamRow>
  /** How many more of an identity the history had than came live so far: the vendor may be about to send them, too. */
  readonly ahead: Map<string, number>
}

/**
 * What is left to tell when the history of a gap has come: `told` were told before it, `held` came since. Rows alike in everything may be
 * as many events, so they are counted: the history and the live rows are two tellings of one tape, and an event that both have is told once.
 * Where the vendor tells its rows apart, one of an identity is enough. Equal stamps keep the order of the history, then of arrival.
 */
export const fuse = (
  kind: StreamKind,
  history: ReadonlyArray<StreamRow>,
  told: ReadonlyArray<StreamRow>,
  held: ReadonlyArray<StreamRow>
): Fused => {
  const { compare, identity, unique } = shapeOf(kind)
  const counts = new Map<string, number>()
  for (const row of told) {
    const key = identity(row)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const known = new Map(counts)
  const rows: Array<StreamRow> = []
  const fresh = new Map<string, number>()
  const seen = new Set<string>()
  const added = new Set<StreamRow>()
  for (const row of history) {
    const key = identity(row)
    if (unique(row)) {
      if (known.has(key) || seen.has(key)) continue
      seen.add(key)
    } else {
      const left = counts.get(key) ?? 0
      if (left > 0) {
        counts.set(key, left - 1)
        continue
      }
      fresh.set(key, (fresh.get(key) ?? 0) + 1)
    }
    added.add(row)
    rows.push(row)
  }
  for (const row of held) {
    const key = identity(row)
    if (unique(row)) {
      if (known.has(key) || seen.has(key)) continue
      seen.add(key)
    } else {
      const left = fresh.get(key) ?? 0
      if (left > 0) {
        fresh.set(key, left - 1)
        continue
      }
    }
    rows.push(row)
  }
  for (const [key, left] of fresh) if (left === 0) fresh.delete(key)
  return { rows: rows.sort(compare), added, ahead: fresh }
}
