/** What a comparison of two vendors looks like to people. */
import type { Zone } from "../../domain/Instant.ts"
import { type Mismatch, ReconciledField } from "../../domain/Mismatch.ts"
import { isIntraday, type Timeframe } from "../../domain/Timeframe.ts"
import type { ReconcileReport } from "../../services/Reconciliation.ts"
import type { Terminal } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { counted, decimal } from "./Numbers.ts"
import { because, span } from "./RangeLines.ts"
import { type Column, render } from "./Table.ts"
import { windowed } from "./windowed.ts"
import { brief, localTime, precisionOf } from "./ZonedTime.ts"

const columnsOf = (
  { left: { vendor: left }, right: { vendor: right } }: ReconcileReport,
  timeframe: Timeframe,
  zone: Zone
): ReadonlyArray<Column> => [
  { header: isIntraday(timeframe) ? `time (${zone.id})` : "date (UTC)", align: "left" },
  { header: "field", align: "left" },
  { header: left, align: "right" },
  { header: right, align: "right" },
  { header: "difference", align: "right" }
]

const differenceOf = ({ left, right }: Mismatch): string => {
  if (left === null || right === null) return ""
  const share = left === 0 ? null : ((right - left) / Math.abs(left)) * 100
  return share === null ? decimal(right - left) : `${share.toFixed(4)}%`
}

const rowOf =
  (timeframe: Timeframe, zone: Zone) =>
  (mismatch: Mismatch): ReadonlyArray<string> => [
    // Bars of a day and longer are stamped with a date, which is the same in every zone.
    isIntraday(timeframe) ? localTime(mismatch.ts, zone, precisionOf(mismatch.ts)) : brief(mismatch.ts),
    mismatch.field,
    mismatch.left === null ? "no row" : decimal(mismatch.left),
    mismatch.right === null ? "no row" : decimal(mismatch.right),
    differenceOf(mismatch)
  ]

/** `close 12, volume 3, only yahoo 1`. */
const countsLine = (report: ReconcileReport): string =>
  [
    ...ReconciledField.literals.flatMap((field) => {
      const count = report.mismatches[field] ?? 0
      return count === 0 ? [] : [`${field} ${count}`]
    }),
    ...(report.onlyLeft === 0 ? [] : [`only ${report.left.vendor} ${report.onlyLeft}`]),
    ...(report.onlyRight === 0 ? [] : [`only ${report.right.vendor} ${report.onlyRight}`])
  ].join(", ")

const summary = (report: ReconcileReport): string =>
  report.mismatched === 0
    ? `${counted(report.rows, "row")} compared, no difference`
    : `${counted(report.rows, "row")} compared, ${report.mismatched} differ: ${countsLine(report)}`

/** The disagreements as a table, and what they come to. */
export const reconcileLines = (
  report: ReconcileReport,
  timeframe: Timeframe,
  zone: Zone,
  terminal: Terminal
): ReadonlyArray<string> => {
  const style = styleOf(terminal)
  if (report.first.length === 0) return [summary(report)]
  const [header = "", ...rows] = render(columnsOf(report, timeframe, zone), report.first.map(rowOf(timeframe, zone)))
  const height = terminal.isTerminal ? terminal.rows - 5 : null
  const total = Object.values(report.mismatches).reduce((sum, count) => sum + count, 0)
  const left = total - report.first.length
  return [
    style.bold(header),
    ...windowed(rows, height, (hidden) => style.dim(`… ${hidden} (use a pipe for all)`)),
    ...(left > 0 ? [style.dim(`… and ${counted(left, "more")} (all are kept)`)] : []),
    summary(report)
  ]
}

const named = 10

/** A line for each part that could not be compared; after ten of them, how many more there are. */
export const reconcileHoles = (report: ReconcileReport): ReadonlyArray<string> => {
  const lines = [
    ...report.leftHoles.map((hole) => [report.left.vendor, hole] as const),
    ...report.rightHoles.map((hole) => [report.right.vendor, hole] as const)
  ].map(([vendor, hole]) => `not compared: ${span(hole)}: ${vendor}: ${because(hole.state)}`)
  return lines.length > named ? [...lines.slice(0, named), `and ${counted(lines.length - named, "more part")}`] : lines
}
