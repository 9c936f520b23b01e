import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { ResponseId } from "../../domain/Response.ts"
import type * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import type { VendorLimits } from "../../domain/VendorLimits.ts"
import { finalEnd, finalSince, openEnd } from "./finality.ts"

export type Proof = Pick<StoredCoverage, "start" | "end" | "state">

/** An archived answer to the question for `range`. `rows` counts those that it has there. */
export interface Answer {
  readonly timeframe: Timeframe.Timeframe
  readonly limits: VendorLimits
  readonly calendar: TradingCalendar | null
  readonly range: TimeRange
  readonly response: ResponseId
  readonly askedAt: EpochMillis
  readonly refusal: "NotFound" | "NotEntitled" | null
  readonly rows: number
}

/**
 * What an answer proves, and nothing more: what was final when it was asked for (not when it came, not now) is covered, or empty; what was still
 * open is provisional; of what lay in the future it says nothing, whatever range the vendor was asked for.
 *
 * How long it is believed counts from when it was asked for, too. Fetch times never decrease within an archive: after a clock
 * that was once ahead they stay ahead, and what counted from them would be believed for as long.
 */
export const proofOf = (answer: Answer): ReadonlyArray<Proof> => {
  const { askedAt, calendar, limits, range, response, timeframe } = answer
  if (answer.refusal !== null) {
    return [{ ...range, state: { _tag: answer.refusal, response, until: askedAt + limits.refusalFor } }]
  }
  const settled = Math.min(range.end, Math.max(range.start, finalEnd(timeframe, askedAt, limits, calendar)))
  const open = Math.min(range.end, Math.max(settled, openEnd(timeframe, askedAt, calendar)))
  const proofs: Array<Proof> = []
  if (range.start < settled) {
    const recheckAfter = limits.emptyFor === null ? null : askedAt + limits.emptyFor
    const state: Proof["state"] =
      answer.rows > 0 ? { _tag: "Covered", response } : { _tag: "Empty", response, recheckAfter }
    proofs.push({ start: range.start, end: settled, state })
  }
  if (settled < open) {
    // What has become final is worth asking for at once.
    const until = Math.min(askedAt + limits.provisionalFor, finalSince(timeframe, open, limits, calendar))
    const state: Proof["state"] = { _tag: "Provisional", response, until }
    proofs.push({ start: settled, end: open, state })
  }
  return proofs
}
