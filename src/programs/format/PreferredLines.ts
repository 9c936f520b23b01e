/** What an answer put together from several vendors says of itself to people. */
import { isComplete } from "../../domain/Coverage.ts"
import type { PreferredAnswer, PreferredPlan } from "../../services/PreferredVendors.ts"
import type { Style } from "../terminal/Style.ts"
import { counted } from "./Numbers.ts"
import { planSummary, planTable } from "./PlanLines.ts"
import { because, span } from "./RangeLines.ts"

const named = 10

const shortened = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length > named ? [...lines.slice(0, named), `and ${counted(lines.length - named, "more part")}`] : lines

/** `252 rows: 4 parts from yahoo, 1 part from stooq; 3 requests`. */
export const preferredLine = (answer: PreferredAnswer): string => {
  const parts = new Map<string, number>()
  for (const { state, vendor } of answer.pieces) {
    if (isComplete(state)) parts.set(vendor, (parts.get(vendor) ?? 0) + 1)
  }
  const from = [...parts].map(([vendor, count]) => `${counted(count, "part")} from ${vendor}`).join(", ")
  const asked = answer.requests + answer.sharedRequests
  return `${counted(answer.rowCount, "row")}: ${from === "" ? "no part could be had" : from}; ${
    asked === 0 ? "no request made" : counted(asked, "request")
  }`
}

/** A line for each part that another vendor than the first had to give, and why. */
export const refusedLines = (answer: PreferredAnswer): ReadonlyArray<string> =>
  shortened(
    answer.pieces
      .filter(({ refused, state }) => refused.length > 0 && isComplete(state))
      .map(
        (piece) =>
          `from ${piece.vendor}: ${span(piece)}: ${piece.refused.map(({ state, vendor }) => `${vendor}: ${because(state)}`).join("; ")}`
      )
  )

/** A line for each part that no vendor gives, with what each of them said. */
export const preferredHoles = (answer: PreferredAnswer): ReadonlyArray<string> =>
  shortened(
    answer.pieces
      .filter(({ state }) => !isComplete(state))
      .map((piece) => {
        const said = [...piece.refused, { vendor: piece.vendor, state: piece.state }]
        return `not had: ${span(piece)}: ${said.map(({ state, vendor }) => `${vendor}: ${because(state)}`).join("; ")}`
      })
  )

export const preferredPlanLines = ({ plans }: PreferredPlan, style: Style): ReadonlyArray<string> =>
  plans.flatMap(({ plan, refused, vendor }) => {
    const [header = "", ...rows] = planTable(plan)
    const why = refused.map(({ state, vendor: other }) => `${other}: ${because(state)}`).join("; ")
    return [
      style.bold(why === "" ? vendor : `${vendor}, because ${why}`),
      style.bold(header),
      ...rows,
      style.dim(planSummary(plan))
    ]
  })
