/** Bars as a table. What has been measured decides the columns, their widths and how fine the times are shown. */
import type { Bar } from "../../domain/Bar.ts"
import type { Zone } from "../../domain/Instant.ts"
import { isIntraday, type Timeframe } from "../../domain/Timeframe.ts"
import { decimal, grouped } from "./Numbers.ts"
import { type Column, headerLine, type Layout, layoutOf, measure, rowLine } from "./Table.ts"
import { finer, localTime, type Precision, precisionOf } from "./ZonedTime.ts"

const none = "-"
const price = (value: number | null) => (value === null ? none : decimal(value))
const amount = (value: number | null) => (value === null ? none : grouped(value))

export interface BarsTable {
  /** Takes a bar into account; all that will be shown, before the first is. */
  readonly measure: (bar: Bar) => void
  readonly header: () => string
  readonly row: (bar: Bar) => string
}

export const barsTable = (timeframe: Timeframe, zone: Zone): BarsTable => {
  const intraday = isIntraday(timeframe)
  // Bars of a day and longer are stamped with a date, which is the same in every zone.
  const column: Column = { header: intraday ? `time (${zone.id})` : "date (UTC)", align: "left" }
  let precision: Precision = intraday ? "minute" : "date"
  const seen = { vwap: false, count: false }
  const layout: Layout = layoutOf([
    column,
    { header: "open", align: "decimal" },
    { header: "high", align: "decimal" },
    { header: "low", align: "decimal" },
    { header: "close", align: "decimal" },
    { header: "volume", align: "decimal" },
    { header: "vwap", align: "decimal" },
    { header: "trades", align: "decimal" }
  ])
  const stamp = (ts: number): string =>
    intraday
      ? localTime(ts, zone, precision)
      : new Date(ts).toISOString().replace("T00:00:00.000Z", "").replace("T", " ")
  const cells = (bar: Bar): ReadonlyArray<string> => [
    stamp(bar.ts),
    price(bar.open),
    price(bar.high),
    price(bar.low),
    price(bar.close),
    amount(bar.volume),
    price(bar.vwap),
    amount(bar.count)
  ]
  const shown = (): Layout => {
    const keep = (index: number) => index < 6 || (index === 6 ? seen.vwap : seen.count)
    return {
      columns: layout.columns.filter((_, index) => keep(index)),
      measures: layout.measures.filter((_, index) => keep(index))
    }
  }
  const pick = (all: ReadonlyArray<string>) => [
    ...all.slice(0, 6),
    ...(seen.vwap ? all.slice(6, 7) : []),
    ...(seen.count ? all.slice(7) : [])
  ]
  return {
    measure: (bar) => {
      if (intraday) precision = finer(precision, precisionOf(bar.ts))
      seen.vwap ||= bar.vwap !== null
      seen.count ||= bar.count !== null
      measure(layout, cells(bar))
    },
    header: () => headerLine(shown()),
    row: (bar) => rowLine(shown(), pick(cells(bar)))
  }
}
