/** The tables of records: their statements by kind, and how cells are written. All functions are synchronous. */
import { Result } from "effect"
import { canonicalJson } from "../../../domain/CanonicalJson.ts"
import type { Cell, Column } from "../../../domain/records/Column.ts"
import {
  type AnyRecord,
  cellOf,
  type RecordKind,
  type RecordOf,
  recordKinds,
  recordOf
} from "../../../domain/records/RecordKind.ts"
import type { SqlValue, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { num } from "../rows.ts"

export const tableOf: Readonly<Record<RecordKind, string>> = {
  trade: "trades",
  quote: "quotes",
  statistic: "statistics",
  fundamental: "fundamentals",
  news: "news",
  option: "option_snapshots",
  signal: "signals"
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

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
  const names = columns.map(({ name }) => snake(name))
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

export const statements: Readonly<Record<RecordKind, Statements>> = {
  trade: statementsOf("trade"),
  quote: statementsOf("quote"),
  statistic: statementsOf("statistic"),
  fundamental: statementsOf("fundamental"),
  news: statementsOf("news"),
  option: statementsOf("option"),
  signal: statementsOf("signal")
}

const toSql = (column: Column, cell: Cell): SqlValue => {
  if (cell === null) return null
  if (column.type === "json") return Result.getOrElse(canonicalJson(cell), () => JSON.stringify(cell))
  return typeof cell === "number" || typeof cell === "string" ? cell : null
}

const fromSql = (column: Column, value: SqlValue | undefined): Cell => {
  if (value === null || value === undefined) return null
  if (column.type === "json") return JSON.parse(String(value))
  return typeof value === "number" || typeof value === "string" ? value : null
}

/** The cells of a row as they are stored; equal texts and numbers are equal rows. */
export const toCells = (kind: RecordKind, row: AnyRecord): ReadonlyArray<SqlValue> => {
  const { columns } = recordKinds[kind]
  const cells: Array<SqlValue> = new Array(columns.length)
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined) cells[index] = toSql(column, cellOf(row, column))
  }
  return cells
}

/** The record at an instant whose cells stand at `from` and after it in what the driver gave. */
export const fromCells = <K extends RecordKind>(
  kind: K,
  millis: number,
  nanos: number,
  values: ReadonlyArray<SqlValue>,
  from: number
): RecordOf<K> =>
  recordOf(
    kind,
    { millis, nanos },
    recordKinds[kind].columns.map((column, index) => fromSql(column, values[from + index]))
  )

export const sameCells = (a: ReadonlyArray<SqlValue>, b: ReadonlyArray<SqlValue>): boolean => {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** Where a row stands. */
export interface RowKey {
  readonly ts: number
  readonly ns: number
  readonly identity: string
}

export const keyText = ({ identity, ns, ts }: RowKey): string => `${ts} ${ns} ${identity}`

/** Cells as a revision keeps them. */
export const cellsText = (cells: ReadonlyArray<SqlValue>): string => JSON.stringify(cells)

export const cellsFrom = (text: SqlValue | undefined): ReadonlyArray<SqlValue> => JSON.parse(String(text))

export const putRow = (
  db: SyncDatabase,
  kind: RecordKind,
  generation: number,
  { identity, ns, ts }: RowKey,
  cells: ReadonlyArray<SqlValue>,
  applied: number,
  position: number
): void => {
  db.prepare(statements[kind].replace).run(generation, ts, ns, identity, ...cells, applied, position)
}

export const removeRow = (
  db: SyncDatabase,
  kind: RecordKind,
  generation: number,
  { identity, ns, ts }: RowKey
): void => {
  db.prepare(statements[kind].remove).run(generation, ts, ns, identity)
}

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

  add({ identity, ns, ts }: RowKey, cells: ReadonlyArray<SqlValue>, position: number): void {
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
