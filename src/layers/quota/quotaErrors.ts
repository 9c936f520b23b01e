import { Effect } from "effect"
import { QuotaError, QuotaUnavailable } from "../../services/Quota.ts"
import { isCorrupt, isFull } from "../sqlite/failureCodes.ts"

export const failed = (reason: QuotaError["reason"]): Effect.Effect<never, QuotaError> =>
  Effect.fail(new QuotaError({ reason }))

const remedyOf = (code: string): string => {
  if (isFull(code)) return "; the disk is full: free some space and ask again"
  return isCorrupt(code) ? "; move the file away when nothing was sent within the vendor's longest window" : ""
}

/** Trouble with the log on disk, as callers see it. */
export const unavailable = ({ code = "", message }: { readonly message: string; readonly code?: string }): QuotaError =>
  new QuotaError({
    reason: new QuotaUnavailable({
      message: `the log of spent quota cannot be kept, so nothing is sent: ${message}${remedyOf(code)}`
    })
  })
