/** What a check found to differ, as a table: what the store has, what the archive gives, and which answer and decoder say so. */
import type { Bar } from "../../domain/Bar.ts"
import type { StoredAction } from "../../domain/CorporateAction.ts"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { Lineage } from "../../domain/Lineage.ts"
import type { Revision } from "../../domain/Revision.ts"
import type { Moved, MovedAction, MovedCounts } from "../../services/RebuildEvent.ts"
import { counted, decimal } from "./Numbers.ts"
import { labelOf } from "./Strip.ts"
import { type Column, render } from "./Table.ts"
import { brief, moment } from "./ZonedTime.ts"

const columns: ReadonlyArray<Column> = [
  { header: "what", align: "left" },
  { header: "at (UTC)", align: "left" },
  { header: "stored", align: "left" },
  { header: "read by", align: "left" },
  { header: "rebuilt", align: "left" },
  { header: "read by", align: "left" }
]

const fields = ["open", "high", "low", "close", "volume", "vwap", "count"] as const satisfies ReadonlyArray<keyof Bar>

const valueOf = (value: number | null): string => (value === null ? "none" : decimal(value))

/** The fields in which two bars differ; all prices of one that has no counterpart. */
const fieldsOf = (bar: Bar, other: Bar | null): ReadonlyArray<string> =>
  fields
    .filter((field) => (other === null ? bar[field] !== null : bar[field] !== other[field]))
    .map((field) => `${field} ${valueOf(bar[field])}`)

type Row = NonNullable<Extract<Moved, { readonly _tag: "Row" }>["stored"]>

const rowText = (row: Row | null, other: Row | null): string => {
  if (row === null) return "no row"
  const parts = [
    ...fieldsOf(row.bar, other === null ? null : other.bar),
    ...(other !== null && row.final === other.final ? [] : [row.final ? "final" : "provisional"]),
    ...(other === null || row.lineage.recordedAt === other.lineage.recordedAt
      ? []
      : [`known ${moment(row.lineage.recordedAt)}`])
  ]
  return parts.length === 0 ? "the same values" : parts.join(", ")
}

const readBy = (lineage: Lineage | undefined): string =>
  lineage === undefined
    ? ""
    : `response ${lineage.response}, position ${lineage.position}, decoder ${lineage.decoderVersion}`

const revisionText = (revision: Revision | null): string =>
  revision === null
    ? "no revision"
    : `${revision.kind} ${moment(revision.supersededAt)}: ${
        revision.bar === null ? "no row" : fieldsOf(revision.bar, null).join(", ")
      }`

const revisionBy = (revision: Revision | null): string =>
  revision === null ? "" : `response ${revision.response}, then ${revision.supersededBy}`

const coverageText = (interval: StoredCoverage | null): string => {
  if (interval === null) return "not known"
  const { state } = interval
  const until = state._tag === "Empty" ? state.recheckAfter : "until" in state ? state.until : null
  const { refusal } = interval
  const since = refusal === undefined ? "" : `, ${labelOf(refusal.tag)} since then (response ${refusal.response})`
  return `${labelOf(state._tag)} to ${brief(interval.end)}${until === null ? "" : `, until ${moment(until)}`}${since}`
}

const coverageBy = (interval: StoredCoverage | null): string =>
  interval === null ? "" : `response ${interval.state.response}`

const cells = (moved: Moved): ReadonlyArray<string> => {
  switch (moved._tag) {
    case "Row": {
      const { rebuilt, stored } = moved
      const ts = stored?.bar.ts ?? rebuilt?.bar.ts ?? 0
      const [a, b] = [rowText(stored, rebuilt), rowText(rebuilt, stored)]
      return ["row", brief(ts), a, readBy(stored?.lineage), b, readBy(rebuilt?.lineage)]
    }
    case "Revision": {
      const { rebuilt, stored } = moved
      const [a, b] = [revisionText(stored), revisionText(rebuilt)]
      return ["revision", brief(stored?.ts ?? rebuilt?.ts ?? 0), a, revisionBy(stored), b, revisionBy(rebuilt)]
    }
    case "Coverage": {
      const { rebuilt, stored } = moved
      const [a, b] = [coverageText(stored), coverageText(rebuilt)]
      return ["coverage", brief(stored?.start ?? rebuilt?.start ?? 0), a, coverageBy(stored), b, coverageBy(rebuilt)]
    }
  }
}

const actionText = (stored: StoredAction | null): string => {
  if (stored === null) return "not told"
  const { action } = stored
  return action.kind === "split"
    ? `split ${decimal(action.numerator)}:${decimal(action.denominator)}`
    : `${action.kind} ${decimal(action.amount)}${action.currency === null ? "" : ` ${action.currency}`}`
}

const actionCells = ({ rebuilt, stored }: MovedAction): ReadonlyArray<string> => [
  "action",
  brief(stored?.action.ts ?? rebuilt?.action.ts ?? 0),
  actionText(stored),
  readBy(stored?.lineage),
  actionText(rebuilt),
  readBy(rebuilt?.lineage)
]

/** Header first. */
export const movedTable = (
  moved: ReadonlyArray<Moved>,
  actions: ReadonlyArray<MovedAction> = []
): ReadonlyArray<string> => render(columns, [...moved.map(cells), ...actions.map(actionCells)])

/** How many of each moved, in words. */
export const movedText = ({ actions, coverage, revisions, rows }: MovedCounts): string =>
  [
    ...(rows > 0 ? [counted(rows, "row")] : []),
    ...(revisions > 0 ? [counted(revisions, "revision")] : []),
    ...(coverage > 0 ? [counted(coverage, "interval of coverage", "intervals of coverage")] : []),
    ...(actions > 0 ? [counted(actions, "corporate action")] : [])
  ].join(", ")
