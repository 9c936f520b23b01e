/**
 * The kinds of rows beside bars and corporate actions, and what a store, a reader or a writer of files has to know of each. Code that
 * works on any kind goes by the columns here; nothing else lists them.
 */
import { Schema } from "effect"
import type { SeriesKey } from "../SeriesKey.ts"
import { stampDefect } from "../TimeRange.ts"
import { type Cell, type Column, cellDefect } from "./Column.ts"
import { isNanos, join, type SplitInstant, split } from "./EpochNanos.ts"
import { type Fundamentals, fundamentalShape } from "./Fundamentals.ts"
import { type News, newsShape } from "./News.ts"
import { type OptionSnapshot, optionShape } from "./OptionSnapshot.ts"
import { type Quote, quoteShape } from "./Quote.ts"
import type { RecordShape } from "./RecordShape.ts"
import { type Signal, signalShape } from "./Signal.ts"
import { type Statistic, statisticShape } from "./Statistic.ts"
import { type Trade, tradeShape } from "./Trade.ts"

/** A kind by the record that it has. */
export interface RecordByKind {
  readonly trade: Trade
  readonly quote: Quote
  readonly statistic: Statistic
  readonly fundamental: Fundamentals
  readonly news: News
  readonly option: OptionSnapshot
  readonly signal: Signal
}

export const RecordKind = Schema.Literals(["trade", "quote", "statistic", "fundamental", "news", "option", "signal"])
export type RecordKind = typeof RecordKind.Type

export type RecordOf<K extends RecordKind> = RecordByKind[K]
export type AnyRecord = RecordByKind[RecordKind]

/** A series whose rows are records. */
export interface RecordSeries<K extends RecordKind = RecordKind> extends SeriesKey {
  readonly kind: K
}

export const isRecordSeries = (series: SeriesKey): series is RecordSeries =>
  series.kind !== "bar" && series.kind !== "corporate-action"

interface Definition<K extends RecordKind> extends RecordShape<RecordOf<K>> {
  /** True where rows are stamped in nanoseconds (`tsNs`), not in milliseconds (`ts`). */
  readonly nanos: boolean
  /** True where rows alike in everything may be several events; the `n`-th of an answer is then the `n`-th in the store. */
  readonly repeats: boolean
}

const ticks = { nanos: true, repeats: true }
const publications = { nanos: true, repeats: false }
const snapshots = { nanos: false, repeats: false }

// Without effects, so that a bundle of the contract, which has no use for shapes, can leave them out.
const defined = /* @__NO_SIDE_EFFECTS__ */ <Shape, Stamps>(shape: Shape, stamps: Stamps): Shape & Stamps => ({
  ...shape,
  ...stamps
})

export const recordKinds: { readonly [K in RecordKind]: Definition<K> } = {
  trade: defined(tradeShape, ticks),
  quote: defined(quoteShape, ticks),
  statistic: defined(statisticShape, publications),
  fundamental: defined(fundamentalShape, snapshots),
  news: defined(newsShape, snapshots),
  option: defined(optionShape, snapshots),
  signal: defined(signalShape, snapshots)
}

/** The millisecond of a row and the nanoseconds since; of kinds stamped in milliseconds the latter is 0. */
export const instantOf = (row: AnyRecord): SplitInstant =>
  "tsNs" in row ? split(row.tsNs) : { millis: row.ts, nanos: 0 }

export const cellOf = (row: AnyRecord, column: Column): Cell => {
  const cell = (row as unknown as Readonly<Record<string, Cell | undefined>>)[column.name]
  return cell === undefined ? null : cell
}

/** A record of a kind from its stamp and its cells, which are in the order of its columns. */
export const recordOf = <K extends RecordKind>(
  kind: K,
  instant: SplitInstant,
  cells: ReadonlyArray<Cell>
): RecordOf<K> => {
  const { columns, nanos } = recordKinds[kind]
  const row: Record<string, unknown> = nanos ? { tsNs: join(instant) } : { ts: instant.millis }
  for (let index = 0; index < columns.length; index++) row[columns[index]?.name ?? ""] = cells[index] ?? null
  return row as unknown as RecordOf<K>
}

/**
 * What tells a row from the others of its instant in its series, the same whichever answer it came in. Trades and quotes with a
 * sequence number are told by venue and sequence; those without one by all they say.
 */
export const identityOf = <K extends RecordKind>(kind: K, row: RecordOf<K>): string => recordKinds[kind].identity(row)

/** Why a row cannot be accepted, in words that name the field; null when it can. */
export const defectOf = <K extends RecordKind>(kind: K, row: RecordOf<K>): string | null => {
  const { columns, nanos } = recordKinds[kind]
  const { ts, tsNs } = row as { readonly ts?: unknown; readonly tsNs?: unknown }
  if (nanos) {
    if (typeof tsNs !== "bigint" || !isNanos(tsNs)) return `tsNs is not a 64-bit number of nanoseconds: ${tsNs}`
  } else {
    const stamp = stampDefect(ts)
    if (stamp !== null) return stamp
  }
  for (const column of columns) {
    const defect = cellDefect(column, cellOf(row, column))
    if (defect !== null) return defect
  }
  return recordKinds[kind].defectOf(row)
}
