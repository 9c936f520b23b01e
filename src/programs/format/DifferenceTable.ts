/** Rows that a vendor changed, one a line: what is not changed stands once, what is with both values. */
import type { Bar } from "../../domain/Bar.ts"
import { utc } from "../../domain/Instant.ts"
import type { KnownRow, RowDifference } from "../../domain/RowDifference.ts"
import { isIntraday, type Timeframe } from "../../domain/Timeframe.ts"
import { decimal, grouped } from "./Numbers.ts"
import { type Column, headerLine, type Layout, layoutOf, measure, rowLine } from "./Table.ts"
import { localTime, moment, precisionOf } from "./ZonedTime.ts"

type Field = Exclude<keyof Bar, "ts">

const fields: ReadonlyArray<Field> = ["open", "high", "low", "close", "volume", "vwap", "count"]
const rare: ReadonlyArray<Field> = ["vwap", "count"]

const cell = (field: Field, value: number | null): string =>
  value === null ? "-" : field === "volume" || field === "count" ? grouped(value) : decimal(value)

const both = (field: Field, before: Bar | null, after: Bar | null): string => {
  const [was, is] = [before, after].map((bar) => (bar === null ? "" : cell(field, bar[field])))
  return before === null ? `${is}` : after === null || was === is ? `${was}` : `${was} → ${is}`
}

/** `#12 of 2026-11-20T21:00:00Z`, and whether the vendor could still change it. */
const source = (row: KnownRow | null): string =>
  row === null ? "not known" : `#${row.response} of ${moment(row.recordedAt)}${row.final ? "" : " (provisional)"}`

const wordOf = ({ before, kind }: RowDifference): string =>
  kind !== "unknown" ? kind : before?.bar === null ? "no longer told" : "not known now"

/** A table whose columns were measured with the first rows; later ones that are wider push theirs to the right. */
export interface DifferenceTable {
  readonly header: string
  readonly row: (difference: RowDifference) => string
}

export const differenceTable = (timeframe: Timeframe, first: ReadonlyArray<RowDifference>): DifferenceTable => {
  const intraday = isIntraday(timeframe)
  const shown = fields.filter(
    (field) =>
      !rare.includes(field) ||
      first.some(
        ({ after, before }) => (before?.bar?.[field] ?? null) !== null || (after?.bar?.[field] ?? null) !== null
      )
  )
  const left = (header: string): Column => ({ header, align: "left" })
  const layout: Layout = layoutOf([
    left(intraday ? "time (UTC)" : "date (UTC)"),
    left(""),
    ...shown.map(left),
    left("before"),
    left("after")
  ])
  const cells = (difference: RowDifference): ReadonlyArray<string> => {
    const { after, before, ts } = difference
    return [
      localTime(ts, utc, intraday ? precisionOf(ts) : "date"),
      wordOf(difference),
      ...shown.map((field) => both(field, before?.bar ?? null, after?.bar ?? null)),
      source(before),
      source(after)
    ]
  }
  for (const difference of first) measure(layout, cells(difference))
  return { header: headerLine(layout), row: (difference) => rowLine(layout, cells(difference)) }
}
