/**
 * The history of one identity, taken apart and put together again: for an answer that is older than others of its series that are
 * committed already. It takes its place among the answers that spoke of the identity before and after it.
 */
import type { CommitTarget } from "../CommitTarget.ts"
import { compare, type KnowledgeKey } from "../KnowledgeKey.ts"
import { RevisionKind } from "../rows.ts"
import type { Echo, RecordRows, Said, StoredRow } from "./RecordRows.ts"
import { type Cells, type RowKey, sameCells } from "./recordCells.ts"

/** As `Said`, in its place in the order of knowledge; `cells` is undefined where it repeats what held before it. */
interface Statement {
  readonly key: KnowledgeKey
  readonly applied: number
  readonly cells: Cells | null | undefined
  readonly position: number
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

interface LateRow {
  readonly key: RowKey
  readonly stored: StoredRow | null
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

export const rewriteChain = (rows: RecordRows, { keepsNulls }: CommitTarget, row: LateRow): Rewritten => {
  const { covering, key, late, stored } = row
  const past = rows.past(key)
  const echoes = rows.echoes(key)
  const statements: Array<Statement> = []
  const speaking = new Set<number>()
  const add = (said: Omit<Statement, "key">): void => {
    if (speaking.has(said.applied)) return
    speaking.add(said.applied)
    statements.push({ ...said, key: rows.knowledgeOf(said.applied) })
  }
  for (const one of past) add(one)
  if (stored !== null) add(stored)
  for (const echo of echoes) add({ ...echo, cells: undefined })
  for (const { supersededBy } of past) add({ applied: supersededBy, cells: null, position: -1 })
  for (const applied of covering) add({ applied, cells: null, position: -1 })
  const before = resolved(statements)
  const lateKey = rows.knowledgeOf(late.applied)
  const at = before.findIndex((statement) => compare(statement.key, lateKey) > 0)
  const index = at < 0 ? before.length : at
  const holding = before[index - 1]?.cells ?? null
  const cells =
    late.cells === null || holding === null || !keepsNulls
      ? late.cells
      : late.cells.map((cell, column) => cell ?? holding[column] ?? null)
  const all: ReadonlyArray<Said> = [...before.slice(0, index), { ...late, cells }, ...before.slice(index)]
  const chain = fold(all)
  const removed = rows.removePast(key)
  if (stored !== null) rows.remove(key)
  let revisions = 0
  for (const [position, said] of chain.entries()) {
    const { applied, cells } = said
    if (cells === null) continue
    const next = chain[position + 1]
    if (next === undefined) {
      rows.put(key, { applied, cells, position: said.position })
      continue
    }
    const ending = next.cells === null ? RevisionKind.withdrawn : RevisionKind.corrected
    rows.putPast(key, { applied, cells, position: said.position, kind: ending, supersededBy: next.applied })
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
