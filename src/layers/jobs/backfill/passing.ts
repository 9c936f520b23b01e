import type { CoverageState } from "../../../domain/Coverage.ts"
import { JobFailure } from "../../../services/JobQueue.ts"
import type { StitchingCacheError } from "../../../services/StitchingCache.ts"

/** What another attempt may find otherwise; a refusal and a mistake in the request stay what they are. */
const passing = new Set([
  "Unavailable",
  "Throttled",
  "Pacing",
  "BreakerOpen",
  "WaitersFull",
  "QuotaUnavailable",
  "DiskTooFull",
  "StoreRetryable",
  "StoreTimeout",
  "StoreUnavailable",
  "StoreFull",
  "ArchiveUnavailable",
  "ArchiveFull"
])

/** The reason behind the reasons: the session says what failed behind it. */
const innermost = (reason: { readonly _tag: string; readonly reason?: unknown }): string => {
  const { _tag, reason: behind } = reason
  return typeof behind === "object" && behind !== null && "_tag" in behind && typeof behind._tag === "string"
    ? innermost({ ...behind, _tag: behind._tag })
    : _tag
}

/** Whether another attempt may end otherwise. */
export const isPassing = (reason: Parameters<typeof innermost>[0]): boolean => passing.has(innermost(reason))

export const asJobFailure = ({ message, reason }: StitchingCacheError): JobFailure =>
  new JobFailure({ message, passing: isPassing(reason) })

/** Whether a part that could not be had may be had another time; then after how many milliseconds. */
export const waitOf = (state: CoverageState): number | null => {
  switch (state._tag) {
    case "Throttled":
      return state.retryAfter
    case "Pending":
      return 0
    case "Missing":
      return state.cause === null || passing.has(state.cause.tag) ? 0 : null
    default:
      return null
  }
}
