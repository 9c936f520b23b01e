/**
 * A coverage report as a table; neighbours of one kind share a line, which says how many answers prove it. Closed time between two
 * of one kind is on their line: a year that was had day by day is one line, not five hundred.
 */
import type { CoverageInterval, CoverageState, Refused } from "../../domain/Coverage.ts"
import { counted } from "./Numbers.ts"
import { because } from "./RangeLines.ts"
import { labelOf } from "./Strip.ts"
import { type Column, render } from "./Table.ts"
import { brief, moment } from "./ZonedTime.ts"

interface Stretch {
  readonly start: number
  end: number
  readonly state: CoverageState
  readonly refusal?: Refused
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

const recheckOf = ({ refusal, state }: CoverageInterval): number | null =>
  refusal !== undefined
    ? refusal.until
    : state._tag === "Empty"
      ? state.recheckAfter
      : "until" in state
        ? state.until
        : null

// What has no response is told apart by its reason.
const kindOf = ({ refusal, state }: Pick<CoverageInterval, "state" | "refusal">): string =>
  "response" in state ? `${state._tag} ${refusal?.tag ?? ""}` : `${state._tag}: ${because(state)}`

const stretches = (intervals: ReadonlyArray<CoverageInterval>): ReadonlyArray<Stretch> => {
  const all: Array<Stretch> = []
  for (const interval of intervals) {
    const { end, refusal, start, state } = interval
    const before = all.at(-2)
    if (before !== undefined && all.at(-1)?.state._tag === "Closed" && kindOf(before) === kindOf(interval)) {
      all.pop()
      before.closed++
    }
    const last = all.at(-1)
    const recheck = recheckOf(interval)
    if (last !== undefined && kindOf(last) === kindOf(interval)) {
      last.end = end
      if ("response" in state) last.responses.add(state.response)
      if (recheck !== null) last.recheck = Math.min(last.recheck ?? recheck, recheck)
    } else {
      all.push({
        start,
        end,
        state,
        ...(refusal === undefined ? {} : { refusal }),
        recheck,
        closed: 0,
        responses: new Set("response" in state ? [state.response] : [])
      })
    }
  }
  return all
}

const proof = ({ closed, refusal, responses, state }: Stretch): string => {
  const [only] = responses
  const proven =
    only === undefined
      ? because(state)
      : responses.size === 1
        ? `response ${only}`
        : counted(responses.size, "response")
  const said = refusal === undefined ? proven : `${proven}; ${labelOf(refusal.tag)} since then`
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
