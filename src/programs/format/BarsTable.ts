/** Bars as a table. What has been measured decides the columns, their widths and how fine the times are shown. */
import type { Bar } from "../../domain/Bar.ts"
import type { Zone } from "../../domain/Instant.ts"
import { isIntraday, type Timeframe } from "../../domain/Timeframe.ts"
import type { SourcedBar } from "../../services/PreferredVendors.ts"
import { decimal, grouped } from "./Numbers.ts"
import { type Column, headerLine, type Layout, layoutOf, measure, rowLine } from "./Table.ts"
import { finer, localTime, type Precision, precisionOf } from "./ZonedTime.ts"

const none = "-"
const price = (value: number | null) => (value === null ? none : decimal(value))
const amount = (value: number | null) => (value === null ? none : grouped(value))

/** Takes bars into account; all that will be shown, before the first is. */
export interface BarsTableDraft {
  readonly measure: (bar: Bar | SourcedBar) => void
  readonly table: () => BarsTable
}

export interface BarsTable {
  readonly header: string
  readonly row: (bar: Bar | SourcedBar) => string
}

const numbers: ReadonlyArray<Column> = [
  { header: "open", align: "decimal" },
  { header: "high", align: "decimal" },
  { header: "low", align: "decimal" },
  { header: "close", align: "decimal" },
  { header: "volume", align: "decimal" }
]
const vwapColumn: Column = { header: "vwap", align: "decimal" }
const countColumn: Column = { header: "trades", align: "decimal" }
const vendorColumn: Column = { header: "vendor", align: "left" }

const vendorOf = (bar: Bar | SourcedBar): string | null => ("vendor" in bar ? bar.vendor : null)

export const barsTable = (timeframe: Timeframe, zone: Zone): BarsTableDraft => {
  const intraday = isIntraday(timeframe)
  let precision: Precision = intraday ? "minute" : "date"
  let hasVwap = false
  let hasCount = false
  let hasVendor = false
  // The time is as wide for every row once its precision is known, and vwap and count are there or not: they are laid out last.
  const inner: Layout = layoutOf(numbers)
  const vwap: Layout = layoutOf([vwapColumn])
  const count: Layout = layoutOf([countColumn])
  const vendor: Layout = layoutOf([vendorColumn])
  const cells = (bar: Bar): ReadonlyArray<string> => [
    price(bar.open),
    price(bar.high),
    price(bar.low),
    price(bar.close),
    amount(bar.volume)
  ]
  // Bars of a day and longer are stamped with a date, which is the same in every zone.
  const stamp = (ts: number): string =>
    intraday
      ? localTime(ts, zone, precision)
      : new Date(ts).toISOString().replace("T00:00:00.000Z", "").replace("T", " ")
  let widest = 0

  return {
    measure: (bar) => {
      if (intraday) precision = finer(precision, precisionOf(bar.ts))
      measure(inner, cells(bar))
      if (bar.vwap !== null) {
        hasVwap = true
        measure(vwap, [price(bar.vwap)])
      }
      if (bar.count !== null) {
        hasCount = true
        measure(count, [amount(bar.count)])
      }
      const from = vendorOf(bar)
      if (from !== null) {
        hasVendor = true
        measure(vendor, [from])
      }
      widest = bar.ts
    },
    table: () => {
      const time = layoutOf([{ header: intraday ? `time (${zone.id})` : "date (UTC)", align: "left" }])
      measure(time, [stamp(widest)])
      const parts = [
        time,
        inner,
        ...(hasVwap ? [vwap] : []),
        ...(hasCount ? [count] : []),
        ...(hasVendor ? [vendor] : [])
      ]
      const layout: Layout = {
        columns: parts.flatMap(({ columns }) => columns),
        measures: parts.flatMap(({ measures }) => measures)
      }
      return {
        header: headerLine(layout),
        row: (bar) =>
          rowLine(layout, [
            stamp(bar.ts),
            ...cells(bar),
            ...(hasVwap ? [price(bar.vwap)] : []),
            ...(hasCount ? [amount(bar.count)] : []),
            ...(hasVendor ? [vendorOf(bar) ?? ""] : [])
          ])
      }
    }
  }
}
