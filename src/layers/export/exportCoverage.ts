import { type CoverageInterval, CoverageState, isComplete, type StoredCoverage } from "../../domain/Coverage.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { stretchesOf, walker } from "../stitching/stretchesOf.ts"
import type { ExportCoverage } from "./Manifest.ts"

const iso = (ts: number): string => new Date(ts).toISOString()

const detailsOf = (state: CoverageState): Omit<ExportCoverage, "start" | "end" | "status"> =>
  CoverageState.match(state, {
    Covered: ({ response }): Omit<ExportCoverage, "start" | "end" | "status"> => ({ response }),
    Empty: ({ response, recheckAfter }) => ({
      response,
      recheckAfter: recheckAfter === null ? null : iso(recheckAfter)
    }),
    Provisional: ({ response, until }) => ({ response, until: iso(until) }),
    NotEntitled: ({ response, until }) => ({ response, until: iso(until) }),
    NotFound: ({ response, until }) => ({ response, until: iso(until) }),
    Closed: ({ calendar }) => ({ calendar }),
    Missing: ({ cause }) => (cause === null ? {} : { cause: { _tag: cause.tag, message: cause.message } }),
    Throttled: ({ retryAfter }) => ({ retryAfter }),
    Pending: ({ flight }) => ({ flight })
  })

export const exportCoverage = ({ end, start, state }: CoverageInterval): ExportCoverage => ({
  start: iso(start),
  end: iso(end),
  status: state._tag,
  ...detailsOf(state)
})

export const isWhole = (coverage: ReadonlyArray<CoverageInterval>): boolean =>
  coverage.every(({ state }) => isComplete(state))

/** What is stored of a range that nobody was asked for; the rest is missing. */
export const reportStored = (
  range: TimeRange,
  stored: ReadonlyArray<StoredCoverage>
): ReadonlyArray<CoverageInterval> =>
  stretchesOf(range, stored).map(({ end, start, stored: known }) => ({
    start,
    end,
    state: known?.state ?? { _tag: "Missing", cause: null }
  }))

/**
 * The report of an answer, brought to what is stored now: where the answer had something, what the store has; where it asked in vain,
 * why, whatever came since.
 */
export const reportNow = (
  answered: ReadonlyArray<CoverageInterval>,
  stored: ReadonlyArray<StoredCoverage>
): ReadonlyArray<CoverageInterval> => {
  const storedIn = walker(stored, (interval) => interval)
  return answered.flatMap(
    (interval): ReadonlyArray<CoverageInterval> =>
      "response" in interval.state ? reportStored(interval, storedIn.members(interval)) : [interval]
  )
}
