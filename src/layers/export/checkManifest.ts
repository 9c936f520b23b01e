import type { CoverageState } from "../../domain/Coverage.ts"
import type { ExportedSeries, Manifest } from "./Manifest.ts"

/** The states in which all rows that exist are there, as `isComplete` of the domain has them. */
const complete: ReadonlySet<string> = new Set<CoverageState["_tag"]>(["Covered", "Empty", "Provisional", "Closed"])

const seriesProblems = (entry: ExportedSeries): ReadonlyArray<string> => {
  const { coverage, file, range, receipts, series } = entry
  const problems: Array<string> = []
  const say = (message: string) => problems.push(`${series}: ${message}`)
  let at = range.start
  for (const interval of coverage) {
    if (interval.start !== at) say(`its coverage has a hole or an overlap at ${interval.start}`)
    if (interval.end <= interval.start) say(`an interval of its coverage ends before it starts, at ${interval.start}`)
    at = interval.end
  }
  if (at !== range.end) say(`its coverage ends at ${at}, and its range at ${range.end}`)
  const answers = new Set(receipts.map(({ response }) => response))
  for (const { response, start } of coverage) {
    if (response !== undefined && !answers.has(response))
      say(`no receipt of response ${response}, which covers ${start}`)
  }
  if (entry.complete !== coverage.every(({ status }) => complete.has(status))) {
    say(`it says that it is ${entry.complete ? "" : "not "}complete, and its coverage does not`)
  }
  for (const receipt of receipts) {
    const rows = receipt.runs.reduce((sum, run) => sum + run.rows, 0)
    if (rows !== receipt.rows)
      say(`the runs of response ${receipt.response} have ${rows} rows, and it says ${receipt.rows}`)
  }
  const given = receipts.reduce((sum, receipt) => sum + receipt.rows, 0)
  if (given !== file.rows) say(`its receipts account for ${given} rows, and its file has ${file.rows}`)
  return problems
}

/** What a manifest says that does not hold together: coverage without a gap, receipts for all rows, counts that add up. */
export const checkManifest = (manifest: Manifest): ReadonlyArray<string> => [
  ...manifest.series.flatMap(seriesProblems),
  ...(manifest.complete === manifest.series.every((entry) => entry.complete)
    ? []
    : ["it says of all series together what it does not say of each"])
]
