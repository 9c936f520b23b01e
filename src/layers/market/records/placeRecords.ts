/**
 * What a commit does to single rows, whatever the database. An answer that is the newest of its series is compared with what is stored,
 * which is the last word before it; an older one takes the whole history of each identity that it speaks of (recordChain.ts).
 */
import type { RecordKind } from "../../../domain/records/RecordKind.ts"
import type { CommitTarget, Tally } from "../CommitTarget.ts"
import { compare, type KnowledgeKey } from "../KnowledgeKey.ts"
import { RevisionKind } from "../rows.ts"
import { assertsRows } from "../stateCode.ts"
import type { BatchRow } from "./RecordBatch.ts"
import type { EchoedRow, RecordRows, Said } from "./RecordRows.ts"
import { type Cells, keyText, type RowKey, sameCells, toCells } from "./recordCells.ts"
import { rewriteChain } from "./recordChain.ts"

/** Where an answer covers. */
export interface Covering {
  readonly start: number
  readonly end: number
  readonly applied: number
}

interface GivenAnswer extends KnowledgeKey {
  readonly start: number
  readonly end: number
  readonly code: number
  readonly applied: number | null
}

/** Of some answers those that are newer than `key` and say of a stretch which rows there are. */
export const coveringNewer = (answers: ReadonlyArray<GivenAnswer>, key: KnowledgeKey): ReadonlyArray<Covering> => {
  const newer: Array<Covering> = []
  for (const answer of answers) {
    const { applied, code, end, start } = answer
    if (applied !== null && assertsRows(code) && compare(answer, key) > 0) newer.push({ start, end, applied })
  }
  return newer
}

/** A commit under way. */
export interface Placing {
  readonly kind: RecordKind
  readonly target: CommitTarget
  readonly tally: Tally
  /** Of the answers that are newer than this one, where each covers; null when there is none. */
  readonly newer: ReadonlyArray<Covering> | null
}

const filled = (cells: Cells, stored: Cells): Cells => cells.map((cell, index) => cell ?? stored[index] ?? null)

/** True when the row was repeated. */
const placeNewest = (rows: RecordRows, placing: Placing, row: BatchRow): boolean => {
  const { kind, tally, target } = placing
  const { applied, keepsNulls } = target
  const { position } = row
  const stored = rows.stored(row)
  const given = toCells(kind, row.row)
  if (stored === null) {
    rows.put(row, { cells: given, applied, position })
    tally.inserted++
    return false
  }
  const cells = keepsNulls ? filled(given, stored.cells) : given
  if (sameCells(stored.cells, cells)) {
    tally.unchanged++
    return true
  }
  rows.putPast(row, { ...stored, kind: RevisionKind.corrected, supersededBy: applied })
  rows.put(row, { cells, applied, position })
  tally.updated++
  tally.revisions++
  return false
}

const withdrawNewest = (rows: RecordRows, { tally, target }: Placing, at: RowKey): void => {
  const stored = rows.stored(at)
  if (stored === null) return
  rows.putPast(at, { ...stored, kind: RevisionKind.withdrawn, supersededBy: target.applied })
  rows.remove(at)
  tally.withdrawn++
  tally.revisions++
}

/** Rows that answers turn out to have repeated, by the answer. */
type Repeated = Map<number, Array<EchoedRow>>

const placeLate = (
  rows: RecordRows,
  placing: Placing,
  { identity, ns, ts }: RowKey,
  said: Omit<Said, "applied">,
  repeated: Repeated
): void => {
  const { newer, tally, target } = placing
  const at = { ts, ns, identity }
  const stored = rows.stored(at)
  const covering = (newer ?? []).filter(({ end, start }) => start <= ts && ts < end)
  const { current, echoing, revisions } = rewriteChain(rows, target, {
    key: at,
    stored,
    covering: covering.map(({ applied }) => applied),
    late: { ...said, applied: target.applied }
  })
  for (const { applied, position } of echoing) {
    const known = repeated.get(applied)
    if (known === undefined) repeated.set(applied, [{ ...at, position }])
    else known.push({ ...at, position })
  }
  tally.revisions += revisions
  if (current === null) {
    if (stored !== null) tally.withdrawn++
    else if (said.cells !== null) tally.unchanged++
  } else if (stored === null) tally.inserted++
  else if (!sameCells(stored.cells, current)) tally.updated++
  else if (said.cells !== null) tally.unchanged++
}

/** Rows of an answer. */
export const placeRows = (rows: RecordRows, placing: Placing, given: ReadonlyArray<BatchRow>): void => {
  const { kind, newer, target } = placing
  const repeated: Repeated = new Map()
  if (newer === null) {
    const same = given.filter((row) => placeNewest(rows, placing, row))
    if (same.length > 0) rows.putEchoes(target.applied, same)
  } else {
    for (const row of given) {
      placeLate(rows, placing, row, { cells: toCells(kind, row.row), position: row.position }, repeated)
    }
  }
  for (const [applied, some] of repeated) rows.putEchoes(applied, some)
}

/** Takes away what an answer should have had and has not. */
export const withdrawRows = (rows: RecordRows, placing: Placing, absent: ReadonlyArray<RowKey>): void => {
  const repeated: Repeated = new Map()
  for (const at of absent) {
    if (placing.newer === null) withdrawNewest(rows, placing, at)
    else placeLate(rows, placing, at, { cells: null, position: -1 }, repeated)
  }
  for (const [applied, some] of repeated) rows.putEchoes(applied, some)
}

const firstAt = (rows: ReadonlyArray<RowKey>, ts: number): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rows[middle]?.ts ?? ts) < ts) low = middle + 1
    else high = middle
  }
  return low
}

/** Which of the rows that are known in the milliseconds `[start, end)` are not among `given`, which ascend; each once. */
export const absentFrom = (
  given: ReadonlyArray<RowKey>,
  known: ReadonlyArray<RowKey>,
  start: number,
  end: number
): ReadonlyArray<RowKey> => {
  if (known.length === 0) return known
  const seen = new Set(given.slice(firstAt(given, start), firstAt(given, end)).map(keyText))
  return known.filter((at) => {
    const key = keyText(at)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
