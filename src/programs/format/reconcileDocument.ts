import type { Tolerance } from "../../domain/Mismatch.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import type { ReconcileReport } from "../../services/Reconciliation.ts"
import { coverageDocument, instant, rangeDocument } from "./Documents.ts"

const toleranceText = ({ relative, value }: Tolerance): string => (relative ? `${value * 100}%` : String(value))

/** The JSON document of `reconcile`; docs/cli.md describes it. */
export const reconcileDocument = (report: ReconcileReport) => ({
  left: canonical(report.left),
  right: canonical(report.right),
  range: rangeDocument(report.range),
  tolerances: Object.fromEntries(
    Object.entries(report.tolerances).flatMap(([field, tolerance]) =>
      tolerance === undefined ? [] : [[field, toleranceText(tolerance)]]
    )
  ),
  rows: report.rows,
  mismatched: report.mismatched,
  mismatches: report.mismatches,
  onlyLeft: report.onlyLeft,
  onlyRight: report.onlyRight,
  first: report.first.map(({ field, left, right, ts }) => ({ ts: instant(ts), field, left, right })),
  uncompared: report.uncompared.map(rangeDocument),
  leftHoles: report.leftHoles.map(coverageDocument),
  rightHoles: report.rightHoles.map(coverageDocument)
})
