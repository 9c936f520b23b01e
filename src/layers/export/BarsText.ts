/** Bars as CSV and NDJSON, a chunk at a time. Instants are ISO 8601 with milliseconds, in UTC, in both. */
import type { Bar } from "../../domain/Bar.ts"
import type { SourcedBar } from "../../services/PreferredVendors.ts"

const iso = (instant: number): string => new Date(instant).toISOString()
const cell = (value: number | null): string => (value === null ? "" : String(value))

export const csvHeader = "ts,open,high,low,close,volume,vwap,count\n"

/** A value that the vendor does not give is an empty field. */
export const csvFields = (bar: Bar): string =>
  `${iso(bar.ts)},${bar.open},${bar.high},${bar.low},${bar.close},${cell(bar.volume)},${cell(bar.vwap)},${cell(bar.count)}`

export const csvRows = (bars: ReadonlyArray<Bar>): string => {
  let text = ""
  for (const bar of bars) text += `${csvFields(bar)}\n`
  return text
}

export const sourcedCsvHeader = csvHeader.replace("\n", ",vendor\n")

/** With the vendor of each bar; names of vendors need no quotes. */
export const sourcedCsvRows = (bars: ReadonlyArray<SourcedBar>): string => {
  let text = ""
  for (const bar of bars) text += `${csvFields(bar)},${bar.vendor}\n`
  return text
}

export const sourcedNdjsonRows = (bars: ReadonlyArray<SourcedBar>): string => {
  let text = ""
  for (const bar of bars) text += `${JSON.stringify({ ...barDocument(bar), vendor: bar.vendor })}\n`
  return text
}

/** A bar as it is in every JSON output: `vwap` and `count` are there where the vendor gives them. */
export const barDocument = (bar: Bar) => ({
  ts: iso(bar.ts),
  open: bar.open,
  high: bar.high,
  low: bar.low,
  close: bar.close,
  volume: bar.volume,
  ...(bar.vwap === null ? {} : { vwap: bar.vwap }),
  ...(bar.count === null ? {} : { count: bar.count })
})

export const ndjsonRows = (bars: ReadonlyArray<Bar>): string => {
  let text = ""
  for (const bar of bars) text += `${JSON.stringify(barDocument(bar))}\n`
  return text
}
