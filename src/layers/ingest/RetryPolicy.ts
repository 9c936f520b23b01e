/** How often and how patiently one call is tried at its vendor. */
import { Context, Duration, Effect, Schedule } from "effect"
import type { VendorError } from "../../services/Adapter.ts"

/** Durations are milliseconds. */
export interface RetryPolicyValue {
  /** Attempts in all, the first one included. */
  readonly attempts: number
  /** The pause before the second attempt; it doubles from there, give or take a fifth. */
  readonly base: number
  /** The longest pause that doubling leads to. */
  readonly cap: number
  /** A vendor that asks to be left alone for longer than this is not waited for: the call fails with its Throttled. */
  readonly patience: number
}

export const RetryPolicy = Context.Reference<RetryPolicyValue>("tapestry/RetryPolicy", {
  defaultValue: () => ({ attempts: 4, base: 200, cap: 30_000, patience: 60_000 })
})

/** Only what may succeed later is tried again: no answer at all, and a vendor that asks to come back soon. */
export const isRetryable = (policy: RetryPolicyValue, error: VendorError): boolean =>
  error.reason._tag === "Unavailable" ||
  (error.reason._tag === "Throttled" && error.reason.retryAfter <= policy.patience)

/** Never sooner than the vendor asked for. */
export const schedule = <E>(policy: RetryPolicyValue, vendorError: (error: E) => VendorError | null) =>
  Schedule.exponential(Duration.millis(policy.base)).pipe(
    Schedule.setInputType<E>(),
    Schedule.jittered,
    Schedule.modifyDelay(({ duration, input }) => {
      const reason = vendorError(input)?.reason
      const asked = reason?._tag === "Throttled" ? reason.retryAfter : 0
      const pause = Math.max(Math.min(Duration.toMillis(duration), policy.cap), asked)
      return Effect.succeed(Duration.millis(Math.ceil(pause)))
    }),
    Schedule.upTo({ times: policy.attempts - 1 })
  )
