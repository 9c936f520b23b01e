/** How the calls of a session went, and what follows for the session. */
import { Cause, Exit } from "effect"
import type { SessionOutcome } from "../../domain/Session.ts"
import { describe } from "./Attempts.ts"

export interface SessionTally {
  readonly served: () => void
  readonly failed: (reason: string) => void
  readonly conclude: (exit: Exit.Exit<unknown, unknown>) => {
    readonly outcome: SessionOutcome
    readonly reason: string | null
  }
}

const text = (cause: Cause.Cause<unknown>): string =>
  describe(Cause.map(cause, (error) => (error instanceof Error ? error : { message: String(error) })))

export const make = (): SessionTally => {
  let served = 0
  let failed = 0
  let lastReason = ""
  return {
    served: () => {
      served += 1
    },
    failed: (reason) => {
      failed += 1
      lastReason = reason
    },
    conclude: (exit) => {
      if (Exit.isFailure(exit)) {
        return Cause.hasInterruptsOnly(exit.cause)
          ? { outcome: "cancelled", reason: "interrupted" }
          : { outcome: "failed", reason: text(exit.cause) }
      }
      if (failed === 0) return { outcome: "ok", reason: null }
      return {
        outcome: served === 0 ? "failed" : "partial",
        reason: `${failed} of ${failed + served} calls failed; the last: ${lastReason}`
      }
    }
  }
}
