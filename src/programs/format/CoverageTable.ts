/** A coverage report as a table; neighbours of one kind share a line, which says how many answers prove it. */
import type { CoverageInterval, CoverageState } from "../../domain/Coverage.ts"
import { counted } from "./Numbers.ts"
import { because } from "./RangeLines.ts"
import { labelOf } from "./Strip.ts"
import { type Column, render } from "./Table.ts"
import { brief, moment } from "./ZonedTime.ts"

interface Stretch {
  readonly start: number
  end: number
  readonly state: CoverageState
  readonly responses: Set<number>
  /** The first instant at which part of it is asked for again; null: never. */
  recheck: number | null
}

const columns: ReadonlyArray<Column> = [
  { header: "from (UTC)", align: "left" },
  { header: "to (exclusive)", align: "left" },
  { header: "status", align: "left" },
  { header: "proved by", align: "left" },
  { header: "asked again after", align: "left" }
]

const recheckOf = (state: CoverageState): number | null =>
  state._tag === "Empty" ? state.recheckAfter : "until" in state ? state.until : null

// What has no response is told apart by its reason.
const kindOf = (state: CoverageState): string => ("response" in state ? state._tag : `${state._tag}: ${because(state)}`)

const stretches = (intervals: ReadonlyArray<CoverageInterval>): ReadonlyArray<Stretch> => {
  const all: Array<Stretch> = []
  for (const { start, end, state } of intervals) {
    const last = all.at(-1)
    const recheck = recheckOf(state)
    if (last !== undefined && kindOf(last.state) === kindOf(state)) {
      last.end = end
      if ("response" in state) last.responses.add(state.response)
      if (recheck !== null) last.recheck = Math.min(last.recheck ?? recheck, recheck)
    } else {
      all.push({ start, end, state, recheck, responses: new Set("response" in state ? [state.response] : []) })
    }
  }
  return all
}

const proof = ({ responses, state }: Stretch): string => {
  const [only] = responses
  if (only === undefined) return because(state)
  return responses.size === 1 ? `response ${only}` : counted(responses.size, "response")
}

export const coverageTable = (intervals: ReadonlyArray<CoverageInterval>): ReadonlyArray<string> =>
  render(
    columns,
    stretches(intervals).map((stretch) => [
      brief(stretch.start),
      brief(stretch.end),
      labelOf(stretch.state._tag),
      proof(stretch),
      stretch.recheck === null ? "" : moment(stretch.recheck)
    ])
  )
