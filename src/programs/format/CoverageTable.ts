/**
 * A coverage report as a table; neighbours of one kind share a line, which says how many answers prove it. Closed time between two
 * of one kind is on their line: a year that was had day by day is one line, not five hundred.
 */
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
  /** How often the exchange was closed in between. */
  closed: number
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
    const before = all.at(-2)
    if (before !== undefined && all.at(-1)?.state._tag === "Closed" && kindOf(before.state) === kindOf(state)) {
      all.pop()
      before.closed++
    }
    const last = all.at(-1)
    const recheck = recheckOf(state)
    if (last !== undefined && kindOf(last.state) === kindOf(state)) {
      last.end = end
      if ("response" in state) last.responses.add(state.response)
      if (recheck !== null) last.recheck = Math.min(last.recheck ?? recheck, recheck)
    } else {
      all.push({
        start,
        end,
        state,
        recheck,
        closed: 0,
        responses: new Set("response" in state ? [state.response] : [])
      })
    }
  }
  return all
}

const proof = ({ closed, responses, state }: Stretch): string => {
  const [only] = responses
  const said =
    only === undefined
      ? because(state)
      : responses.size === 1
        ? `response ${only}`
        : counted(responses.size, "response")
  return closed === 0 ? said : `${said}; closed ${counted(closed, "time")} between`
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
