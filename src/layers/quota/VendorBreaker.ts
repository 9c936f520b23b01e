import { Cause, Duration, Effect, Exit, Schedule } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { VendorError } from "../../services/Adapter.ts"
import { BreakerOpen, QuotaError, type QuotaUse } from "../../services/Quota.ts"

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number
  /** How long it is open the first time; twice as long each further time, up to `longest`. */
  readonly openFor: Duration.Input
  readonly longest: Duration.Input
  /** The longest that a vendor's own "try again after" is honoured for. */
  readonly longestRetryAfter: Duration.Input
}

export const defaults: BreakerOptions = {
  failures: 5,
  openFor: "5 seconds",
  longest: "5 minutes",
  longestRetryAfter: "1 hour"
}

/** What to tell those who come while the one probe of a half-open breaker runs, in milliseconds. */
const probeTime = 1_000

const retryAfter = (error: unknown): Duration.Duration | undefined =>
  error instanceof VendorError && error.reason._tag === "Throttled"
    ? Duration.millis(error.reason.retryAfter)
    : undefined

const toQuotaError =
  (failures: ReadonlyMap<string, string>) =>
  (error: CircuitBreaker.CircuitBreakerError): QuotaError => {
    const account = "key" in error.reason ? error.reason.key : ""
    const lastFailure = failures.get(account)
    return new QuotaError({
      reason: new BreakerOpen({
        account,
        retryAfter:
          error.reason._tag === "CircuitOpen" ? Math.ceil(Duration.toMillis(error.reason.retryAfter)) : probeTime,
        ...(lastFailure === undefined ? {} : { lastFailure })
      })
    })
  }

const wordsOf = (error: unknown): string | null => (error instanceof Error ? error.message : null)

const stateName = (state: CircuitBreaker.State): QuotaUse["breaker"] =>
  state._tag === "Closed" ? "closed" : state._tag === "Open" ? "open" : "half-open"

/**
 * One breaker per account, in memory: after a restart the vendor is given the benefit of the doubt. Failures that
 * `countsAgainst` does not name say nothing about the vendor: they neither open it nor count as health.
 */
export const make = Effect.fnUntraced(function* (options: BreakerOptions) {
  const longest = Duration.fromInputUnsafe(options.longest)
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(options.failures),
    openDuration: Schedule.exponential(options.openFor).pipe(
      Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, longest)))
    ),
    maxOpenDuration: options.longestRetryAfter,
    onStoreError: "fail"
  })

  // One text an account, the last one: who finds the breaker open is told why.
  const failures = new Map<string, string>()
  const refused = toQuotaError(failures)

  const guard = <A, E, R>(
    account: string,
    call: Effect.Effect<A, E, R>,
    countsAgainst: (error: E) => boolean
  ): Effect.Effect<A, E | QuotaError, R> => {
    const classify = (exit: Exit.Exit<A, E>): CircuitBreaker.Outcome => {
      if (Exit.isSuccess(exit)) return CircuitBreaker.success
      const error = Cause.findErrorOption(exit.cause)
      if (error._tag === "None") return CircuitBreaker.failure()
      if (!countsAgainst(error.value)) return CircuitBreaker.ignored
      const words = wordsOf(error.value)
      if (words !== null) failures.set(account, words)
      return CircuitBreaker.failure({ retryAfter: retryAfter(error.value) })
    }
    return breaker
      .execute(call, { key: account, classify })
      .pipe(Effect.mapError((error) => (error instanceof CircuitBreaker.CircuitBreakerError ? refused(error) : error)))
  }

  const state = (account: string): Effect.Effect<QuotaUse["breaker"], QuotaError> =>
    breaker.state(account).pipe(Effect.map(stateName), Effect.mapError(refused))

  return { guard, state }
})
