/** Records as the cells that a store keeps of them, whatever the database, and where a row stands. */
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
import type { SqlRow } from "../rows.ts"

export const tableOf: Readonly<Record<RecordKind, string>> = {
  trade: "trades",
  quote: "quotes",
  statistic: "statistics",
  fundamental: "fundamentals",
  news: "news",
  option: "option_snapshots",
  signal: "signals"
}

/** What each kind has of something. */
export const byKind = <A>(of: (kind: RecordKind) => A): Readonly<Record<RecordKind, A>> => ({
  trade: of("trade"),
  quote: of("quote"),
  statistic: of("statistic"),
  fundamental: of("fundamental"),
  news: of("news"),
  option: of("option"),
  signal: of("signal")
})

/** How a column of a record is called in its table. */
export const columnName = ({ name }: Column): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What a row says, in the order of the columns of its kind; equal texts and numbers are equal rows. */
export type Cells = ReadonlyArray<number | string | null>

const toCell = (column: Column, cell: Cell): number | string | null => {
  if (cell === null) return null
  if (column.type === "json") return Result.getOrElse(canonicalJson(cell), () => JSON.stringify(cell))
  return typeof cell === "number" || typeof cell === "string" ? cell : null
}

const fromCell = (column: Column, value: SqlRow[number] | undefined): Cell => {
  if (value === null || value === undefined) return null
  if (column.type === "json") return JSON.parse(String(value))
  return typeof value === "number" || typeof value === "string" ? value : null
}

export const toCells = (kind: RecordKind, row: AnyRecord): Cells => {
  const { columns } = recordKinds[kind]
  const cells: Array<number | string | null> = new Array(columns.length)
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]
    if (column !== undefined) cells[index] = toCell(column, cellOf(row, column))
  }
  return cells
}

/** The record at an instant whose cells stand at `from` and after it in what the driver gave. */
export const fromCells = <K extends RecordKind>(
  kind: K,
  millis: number,
  nanos: number,
  values: SqlRow,
  from: number
): RecordOf<K> =>
  recordOf(
    kind,
    { millis, nanos },
    recordKinds[kind].columns.map((column, index) => fromCell(column, values[from + index]))
  )

/** The cells that stand at `from` and after it. */
export const cellsAt = (kind: RecordKind, values: SqlRow, from: number): Cells =>
  values.slice(from, from + recordKinds[kind].columns.length) as Cells

export const sameCells = (a: Cells, b: Cells): boolean => {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** Cells as a revision keeps them. */
export const cellsText = (cells: Cells): string => JSON.stringify(cells)

export const cellsFrom = (text: SqlRow[number] | undefined): Cells => JSON.parse(String(text))

/** Where a row stands. */
export interface RowKey {
  readonly ts: number
  readonly ns: number
  readonly identity: string
}

export const keyText = ({ identity, ns, ts }: RowKey): string => `${ts} ${ns} ${identity}`
