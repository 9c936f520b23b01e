import { Effect } from "effect"
import { QuotaError, QuotaUnavailable } from "../../services/Quota.ts"
import { isCorrupt } from "../sqlite/SqliteDatabase.ts"

export const failed = (reason: QuotaError["reason"]): Effect.Effect<never, QuotaError> =>
  Effect.fail(new QuotaError({ reason }))

/** Trouble with the log on disk, as callers see it. */
export const unavailable = (failure: { readonly message: string; readonly code?: string }): QuotaError =>
  new QuotaError({
    reason: new QuotaUnavailable({
      message: `the log of spent quota cannot be kept, so nothing is sent: ${failure.message}${
        isCorrupt(failure.code ?? "")
          ? "; move the file away when nothing was sent within the vendor's longest window"
          : ""
      }`
    })
  })
