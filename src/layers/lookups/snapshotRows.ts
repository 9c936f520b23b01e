/**
 * The rows of a snapshot of options, each asked for by itself.
 *
 * Responsibilities: how many are asked for at once, the pause before each, and what becomes of those that cannot be had. Queueing: each waits
 * for its turn, in the order given (nearest to the money first). The pause is one for all: it grows whenever the vendor finds it too much, and
 * what was refused so is asked for again, behind its pause, a few times.
 *
 * Hard cases: an option that is not listed is no failure, since a chain has more strikes than each date has. Where nothing could be had and
 * something failed in another way, that is the answer: a permission that is missing is missing for all.
 */
import { Effect } from "effect"
import { unlisted } from "../../domain/OptionsSnapshot.ts"
import type { OptionRight, OptionSnapshot } from "../../domain/records/OptionSnapshot.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { ContractLookupsError } from "../../services/ContractLookups.ts"
import type { Quotable, StandingQuote } from "../../services/LookupCapability.ts"
import type { OptionsPacingValue } from "./OptionsPacing.ts"

type Wanted = Quotable & { readonly strike: number; readonly right: OptionRight }
type Asked = Effect.Effect<{ readonly answer: StandingQuote; readonly at: EpochMillis }, ContractLookupsError>

const mostTries = 3
const longestPause = 30_000

const isThrottled = ({ reason }: ContractLookupsError): boolean =>
  (reason._tag === "VendorError" && reason.reason._tag === "Throttled") ||
  (reason._tag === "QuotaError" && reason.reason._tag === "Pacing")

const isUnlisted = ({ reason }: ContractLookupsError): boolean =>
  reason._tag === "VendorError" && reason.reason._tag === "NotFound"

const inOrder = (a: Pick<Wanted, "strike" | "right">, b: Pick<Wanted, "strike" | "right">): number =>
  a.strike - b.strike || (a.right < b.right ? -1 : 1)

export const snapshotRows = Effect.fnUntraced(function* (
  wanted: ReadonlyArray<Wanted>,
  { backoffMultiplier, baseDelay, concurrency }: OptionsPacingValue,
  ask: (one: Wanted) => Asked
) {
  let pause = baseDelay
  const rows: Array<OptionSnapshot> = []
  const omitted: Array<{ readonly right: OptionRight; readonly strike: number; readonly reason: string }> = []
  const failures: Array<ContractLookupsError> = []

  const tried = (one: Wanted, tries: number): Asked =>
    Effect.suspend(() => Effect.andThen(Effect.sleep(pause), ask(one))).pipe(
      Effect.catchIf(
        (error) => tries < mostTries && isThrottled(error),
        () => {
          pause = Math.min(pause * backoffMultiplier, longestPause)
          return tried(one, tries + 1)
        }
      )
    )

  yield* Effect.forEach(
    wanted,
    (one) =>
      Effect.match(tried(one, 1), {
        onSuccess: ({ answer: { close: _, ...quote }, at }) => {
          rows.push({ ts: at, expiry: one.expiry ?? "", right: one.right, strike: one.strike, ...quote })
        },
        onFailure: (error) => {
          if (!isUnlisted(error)) failures.push(error)
          omitted.push({
            right: one.right,
            strike: one.strike,
            reason: isUnlisted(error) ? unlisted : error.message
          })
        }
      }),
    { concurrency, discard: true }
  )
  const [failed] = failures
  if (rows.length === 0 && failed !== undefined) return yield* failed
  return { rows: rows.sort(inOrder), omitted: omitted.sort(inOrder) }
})
