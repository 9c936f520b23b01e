/** Between the arrays that the driver gives and the records of the rest; the one place that trusts a column to have its type. */
import type { Bar } from "../../domain/Bar.ts"
import type { ResponseId } from "../../domain/Response.ts"
import type { SqlValue } from "../sqlite/SqliteDatabase.ts"

export type SqlRow = ReadonlyArray<SqlValue>

export const valueColumns = "ts, open, high, low, close, volume, vwap, count"

/** {@link valueColumns} of a table that a statement calls so. */
export const valueColumnsOf = (alias: string): string =>
  valueColumns
    .split(", ")
    .map((column) => `${alias}.${column}`)
    .join(", ")

type ValueRow = readonly [
  ts: number,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number | null,
  vwap: number | null,
  count: number | null
]

/** A row that begins with {@link valueColumns}. */
export const toBar = (row: SqlRow): Bar => {
  const r = row as unknown as ValueRow
  return { ts: r[0], open: r[1], high: r[2], low: r[3], close: r[4], volume: r[5], vwap: r[6], count: r[7] }
}

/** The value that a stamp had, and who asserted it; `bar` is null for the absence of a row. */
export interface StoredVersion {
  readonly ts: number
  readonly bar: Bar | null
  readonly final: boolean
  readonly position: number
  readonly applied: number
  readonly shown: number | null
  readonly shownPosition: number | null
}

const versionTail = "final, position, applied, shown, shown_position"
export const barColumns = `${valueColumns}, ${versionTail}`

type VersionRow = readonly [
  ...ValueRow,
  final: number,
  position: number,
  applied: number,
  shown: number | null,
  shownPosition: number | null
]

/** A row that begins with {@link barColumns}. */
export const toVersion = (row: SqlRow): StoredVersion => {
  const r = row as unknown as VersionRow
  return {
    ts: r[0],
    bar: r[1] === null ? null : toBar(row),
    final: r[8] === 1,
    position: r[9],
    applied: r[10],
    shown: r[11],
    shownPosition: r[12]
  }
}

export const supersededColumns = `${barColumns}, kind, superseded_by`

/** How a value ended; `overwritten` ones are never shown. */
export const RevisionKind = { overwritten: 0, corrected: 1, finalised: 2, withdrawn: 3 } as const

export interface SupersededVersion extends StoredVersion {
  readonly kind: number
  readonly supersededBy: number
}

type SupersededRow = readonly [...VersionRow, kind: number, supersededBy: number]

/** A row that begins with {@link supersededColumns}. */
export const toSuperseded = (row: SqlRow): SupersededVersion => {
  const r = row as unknown as SupersededRow
  return { ...toVersion(row), kind: r[13], supersededBy: r[14] }
}

/** A cell of an integer or real column that is declared not null. */
export const num = (value: SqlValue | undefined): number => value as number

export const numOrNull = (value: SqlValue | undefined): number | null => value as number | null

export const text = (value: SqlValue | undefined): string => value as string

/** Ids that were checked when they came in; checking 100,000 of them again would take longer than reading them. */
export const responseId = (value: SqlValue | undefined): ResponseId => value as ResponseId
