/** The table `record_revisions`, as synchronous steps. */
import type { SqlValue, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { num, RevisionKind } from "../rows.ts"
import { cellsFrom, cellsText, type RowKey } from "./recordTables.ts"

/** A value that gave way, and to whom: ids of the table `applied`. */
export interface PastRow {
  readonly cells: ReadonlyArray<SqlValue>
  readonly applied: number
  readonly position: number
  readonly kind: number
  readonly supersededBy: number
}

const insert = `insert or replace into record_revisions
  (generation, ts, ns, identity, applied, position, cells, kind, superseded_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const select = `select applied, position, cells, kind, superseded_by from record_revisions
  where generation = ? and ts = ? and ns = ? and identity = ?`
const remove = "delete from record_revisions where generation = ? and ts = ? and ns = ? and identity = ?"

export const putPast = (db: SyncDatabase, generation: number, { identity, ns, ts }: RowKey, past: PastRow): void => {
  const { applied, cells, kind, position, supersededBy } = past
  db.prepare(insert).run(generation, ts, ns, identity, applied, position, cellsText(cells), kind, supersededBy)
}

export const pastOf = (db: SyncDatabase, generation: number, { identity, ns, ts }: RowKey): ReadonlyArray<PastRow> =>
  db
    .prepare(select)
    .all(generation, ts, ns, identity)
    .map(([applied, position, cells, kind, supersededBy]) => ({
      applied: num(applied),
      position: num(position),
      cells: cellsFrom(cells),
      kind: num(kind),
      supersededBy: num(supersededBy)
    }))

export const removePast = (db: SyncDatabase, generation: number, { identity, ns, ts }: RowKey): number =>
  db.prepare(remove).run(generation, ts, ns, identity).changes

export const kindName = (kind: number): "corrected" | "withdrawn" =>
  kind === RevisionKind.withdrawn ? "withdrawn" : "corrected"
