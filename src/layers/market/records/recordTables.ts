/** The tables of records in SQLite: their statements by kind. All functions are synchronous. */
import type { Column } from "../../../domain/records/Column.ts"
import { type RecordKind, recordKinds } from "../../../domain/records/RecordKind.ts"
import type { SqlValue, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { num } from "../rows.ts"
import { byKind, type Cells, columnName, type RowKey, tableOf } from "./recordCells.ts"

/** Columns of every record table before and after those of the kind. */
const before = ["generation", "ts", "ns", "identity"]
const after = ["applied", "position"]

interface Statements {
  readonly columns: ReadonlyArray<Column>
  /** Cells of a row, as they stand in a statement; `alias` qualifies them. */
  readonly cells: (alias: string) => string
  /** Inserts for so many rows at once, most first. */
  readonly inserts: ReadonlyArray<{ readonly rows: number; readonly sql: string }>
  readonly replace: string
  readonly remove: string
  /** Cells, applied, position of one row. */
  readonly one: string
  readonly any: string
  readonly nth: string
  /** Where the rows of a stretch stand. */
  readonly keys: string
}

const statementsOf = (kind: RecordKind): Statements => {
  const table = tableOf[kind]
  const { columns } = recordKinds[kind]
  const names = columns.map(columnName)
  const all = [...before, ...names, ...after]
  const tuple = `(${all.map(() => "?").join(", ")})`
  const into = `into ${table} (${all.join(", ")}) values`
  const cells = (alias: string) => names.map((name) => `${alias}.${name}`).join(", ")
  const key = "generation = ? and ts = ? and ns = ? and identity = ?"
  return {
    columns,
    cells,
    inserts: [64, 8, 1].map((rows) => ({ rows, sql: `insert ${into} ${Array(rows).fill(tuple).join(", ")}` })),
    replace: `insert or replace ${into} ${tuple}`,
    remove: `delete from ${table} where ${key}`,
    one: `select ${cells("r")}, r.applied, r.position from ${table} r
      where r.generation = ? and r.ts = ? and r.ns = ? and r.identity = ?`,
    any: `select 1 from ${table} where generation = ? and ts >= ? and ts < ? limit 1`,
    nth: `select ts from ${table} where generation = ? and ts >= ? and ts < ? order by ts limit 1 offset ?`,
    keys: `select ts, ns, identity from ${table} where generation = ? and ts >= ? and ts < ?`
  }
}

export const statements = byKind(statementsOf)

/** Gathers fresh rows and inserts them several a statement. */
export class RecordInserter {
  private readonly db: SyncDatabase
  private readonly kind: RecordKind
  private readonly generation: number
  private readonly applied: number
  private readonly width: number
  private params: Array<SqlValue> = []

  constructor(db: SyncDatabase, kind: RecordKind, generation: number, applied: number) {
    this.db = db
    this.kind = kind
    this.generation = generation
    this.applied = applied
    this.width = before.length + recordKinds[kind].columns.length + after.length
  }

  add({ identity, ns, ts }: RowKey, cells: Cells, position: number): void {
    this.params.push(this.generation, ts, ns, identity)
    for (const cell of cells) this.params.push(cell)
    this.params.push(this.applied, position)
    if (this.params.length === 64 * this.width) this.flush()
  }

  flush(): void {
    let at = 0
    for (const { rows, sql } of statements[this.kind].inserts) {
      const width = rows * this.width
      for (; at + width <= this.params.length; at += width) {
        this.db.prepare(sql).run(...(width === this.params.length ? this.params : this.params.slice(at, at + width)))
      }
    }
    this.params = []
  }
}

/** The stamp of the row that is `n` rows after the first of `[start, end)`; null when there are not so many. */
export const nthInstant = (
  db: SyncDatabase,
  kind: RecordKind,
  generation: number,
  start: number,
  end: number,
  n: number
): number | null => {
  const row = db.prepare(statements[kind].nth).get(generation, start, end, n)
  return row === undefined ? null : num(row[0])
}
