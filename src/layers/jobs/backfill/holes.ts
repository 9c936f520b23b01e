/** What a backfill could not have, told in few parts. */
import { type CoverageInterval, type CoverageState, isComplete } from "../../../domain/Coverage.ts"

const reasonOf = (state: CoverageState): string =>
  state._tag === "Missing"
    ? `Missing ${state.cause?.message}`
    : state._tag === "Throttled"
      ? `Throttled ${state.cause}`
      : state._tag

/** What the answers said of the parts that the store knows nothing of. */
const explained = (hole: CoverageInterval, losses: ReadonlyArray<CoverageInterval>): CoverageInterval => {
  if (hole.state._tag !== "Missing" || hole.state.cause !== null) return hole
  const loss = losses.find(({ end, start }) => start < hole.end && hole.start < end)
  return loss === undefined ? hole : { ...hole, state: loss.state }
}

/** The parts that are not had; those with nothing but closed time between them, and one reason, are one. */
export const holesIn = (
  coverage: ReadonlyArray<CoverageInterval>,
  losses: ReadonlyArray<CoverageInterval>
): ReadonlyArray<CoverageInterval> => {
  const holes: Array<CoverageInterval> = []
  let joins = false
  for (const interval of coverage) {
    if (interval.state._tag === "Closed") continue
    if (isComplete(interval.state)) {
      joins = false
      continue
    }
    const hole = explained(interval, losses)
    const before = joins ? holes.at(-1) : undefined
    if (before !== undefined && reasonOf(before.state) === reasonOf(hole.state)) {
      holes[holes.length - 1] = { ...before, end: hole.end }
    } else holes.push(hole)
    joins = true
  }
  return holes
}
