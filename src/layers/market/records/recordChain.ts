/**
 * The history of one identity, taken apart and put together again: for an answer that is older than others of its series that are
 * committed already. It takes its place among the answers that spoke of the identity before and after it.
 */
import type { RecordKind } from "../../../domain/records/RecordKind.ts"
import type { SqlValue, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import type { CommitTarget } from "../CommitTarget.ts"
import { compare, type KnowledgeKey } from "../KnowledgeKey.ts"
import { num, RevisionKind } from "../rows.ts"
import type { Echo } from "./recordEchoes.ts"
import { pastOf, putPast, removePast } from "./recordRevisions.ts"
import { putRow, type RowKey, removeRow, sameCells } from "./recordTables.ts"

type Cells = ReadonlyArray<SqlValue>

/** What an answer says of the identity; `cells` is null where it says that there is no such row. */
export interface Said {
  readonly applied: number
  readonly cells: Cells | null
  readonly position: number
}

/** As `Said`, in its place in the order of knowledge; `cells` is undefined where it repeats what held before it. */
interface Statement {
  readonly key: KnowledgeKey
  readonly applied: number
  readonly cells: Cells | null | undefined
  readonly position: number
}

const selectKey = "select fetched_at, response, decoder_version from applied where id = ?"

const keyOf = (db: SyncDatabase, applied: number): KnowledgeKey => {
  const row = db.prepare(selectKey).get(applied)
  return { fetchedAt: num(row?.[0]), response: num(row?.[1]), decoderVersion: num(row?.[2]) }
}

const same = (a: Cells | null, b: Cells | null): boolean => (a === null || b === null ? a === b : sameCells(a, b))

/** In the order of knowledge, each echo with the value that it repeated. */
const resolved = (statements: ReadonlyArray<Statement>): ReadonlyArray<Statement & Said> => {
  let holding: Cells | null = null
  return [...statements]
    .sort((a, b) => compare(a.key, b.key))
    .map((statement) => {
      holding = statement.cells === undefined ? holding : statement.cells
      return { ...statement, cells: holding }
    })
}

/** Of equal ones in a row the first, without an absence at the beginning. */
const fold = (said: ReadonlyArray<Said>): ReadonlyArray<Said> => {
  const chain: Array<Said> = []
  for (const one of said) {
    const last = chain[chain.length - 1]
    if (last === undefined ? one.cells !== null : !same(last.cells, one.cells)) chain.push(one)
  }
  return chain
}

export interface LateRow {
  readonly kind: RecordKind
  readonly key: RowKey
  readonly stored: Said | null
  readonly echoes: ReadonlyArray<Echo>
  /** Answers newer than the late one whose coverage holds the instant: who of them does not speak of the identity, denies it. */
  readonly covering: ReadonlyArray<number>
  /** What the late answer says. */
  readonly late: Said
}

interface Rewritten {
  /** The cells that readers see then; null when there is no row. */
  readonly current: Cells | null
  /** Revisions more than before. */
  readonly revisions: number
  /** Who repeats what another says, and is not written down as doing so yet. */
  readonly echoing: ReadonlyArray<Echo>
}

export const rewriteChain = (db: SyncDatabase, { generation, keepsNulls }: CommitTarget, row: LateRow): Rewritten => {
  const { covering, echoes, key, kind, late, stored } = row
  const past = pastOf(db, generation, key)
  const statements: Array<Statement> = []
  const speaking = new Set<number>()
  const add = (said: Omit<Statement, "key">): void => {
    if (speaking.has(said.applied)) return
    speaking.add(said.applied)
    statements.push({ ...said, key: keyOf(db, said.applied) })
  }
  for (const one of past) add(one)
  if (stored !== null) add(stored)
  for (const echo of echoes) add({ ...echo, cells: undefined })
  for (const { supersededBy } of past) add({ applied: supersededBy, cells: null, position: -1 })
  for (const applied of covering) add({ applied, cells: null, position: -1 })
  const before = resolved(statements)
  const lateKey = keyOf(db, late.applied)
  const at = before.findIndex((statement) => compare(statement.key, lateKey) > 0)
  const index = at < 0 ? before.length : at
  const holding = before[index - 1]?.cells ?? null
  const cells =
    late.cells === null || holding === null || !keepsNulls
      ? late.cells
      : late.cells.map((cell, column) => cell ?? holding[column] ?? null)
  const all: ReadonlyArray<Said> = [...before.slice(0, index), { ...late, cells }, ...before.slice(index)]
  const chain = fold(all)
  const removed = removePast(db, generation, key)
  if (stored !== null) removeRow(db, kind, generation, key)
  let revisions = 0
  for (const [position, said] of chain.entries()) {
    if (said.cells === null) continue
    const next = chain[position + 1]
    if (next === undefined) {
      putRow(db, kind, generation, key, said.cells, said.applied, said.position)
      continue
    }
    const ending = next.cells === null ? RevisionKind.withdrawn : RevisionKind.corrected
    putPast(db, generation, key, {
      applied: said.applied,
      cells: said.cells,
      position: said.position,
      kind: ending,
      supersededBy: next.applied
    })
    revisions++
  }
  const echoed = new Set(echoes.map(({ applied }) => applied))
  const told = new Set(chain.map(({ applied }) => applied))
  return {
    current: chain[chain.length - 1]?.cells ?? null,
    revisions: revisions - removed,
    echoing: all.filter(({ applied, cells }) => cells !== null && !told.has(applied) && !echoed.has(applied))
  }
}
