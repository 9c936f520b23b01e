import { type StoredCoverage, stands } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { Plan } from "../../domain/Plan.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { RequestDraft } from "./planner.ts"
import { trim } from "./splitRequests.ts"

/**
 * What is left to do of a plan that was made a while ago: its requests, less what others have had in the meantime (evidence
 * that the plan did not know) or are having now. Never more than the plan. A request to a vendor whose answers are whole files
 * is made as it was planned or not at all. Nothing is asked for closed time alone.
 */
export const remaining = (
  plan: Plan,
  coverage: ReadonlyArray<StoredCoverage>,
  inFlight: Intervals.Ranges,
  now: EpochMillis,
  wholeCells: boolean,
  closed: Intervals.Ranges
): ReadonlyArray<RequestDraft> => {
  const known = new Set(plan.pieces.map(({ state }) => ("response" in state ? state.response : null)))
  const isNews = ({ refusal, state }: StoredCoverage) =>
    !known.has(state.response) || (refusal !== undefined && refusal.recordedAt >= plan.plannedAt)
  const news = coverage.filter((stored) => isNews(stored) && stands(stored, now))
  const had = Intervals.union(Intervals.mergeNear(news, 0), Intervals.normalise(inFlight))
  const served = Intervals.mergeNear(
    plan.pieces.filter(({ from }) => from === "store"),
    0
  )
  return plan.requests.flatMap((request) => {
    const inPlan = Intervals.intersect([request.range], [plan.range])
    const left = Intervals.subtract(inPlan, had)
    // What the plan itself leaves to the store (the bar that overlaps it) is no reason to ask either.
    if (Intervals.subtract(Intervals.subtract(left, closed), served).length === 0) return []
    if (wholeCells || Intervals.total(left) === Intervals.total(inPlan)) return [request]
    return Intervals.subtract([request.range], had).flatMap((part) => {
      const range = trim(part, closed)
      return range === null ? [] : [{ ...request, range }]
    })
  })
}
