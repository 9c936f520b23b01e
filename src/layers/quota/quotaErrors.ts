import { Effect } from "effect"
import { QuotaError, QuotaUnavailable } from "../../services/Quota.ts"

export const failed = (reason: QuotaError["reason"]): Effect.Effect<never, QuotaError> =>
  Effect.fail(new QuotaError({ reason }))

/** Trouble with the log on disk, as callers see it. */
export const unavailable = (failure: { readonly message: string }): QuotaError =>
  new QuotaError({
    reason: new QuotaUnavailable({
      message: `the log of spent quota cannot be kept, so nothing is sent: ${failure.message}`
    })
  })
