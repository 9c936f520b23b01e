import { Schema } from "effect"
import { ResponseId } from "./Response.ts"
import { EpochMillis } from "./TimeRange.ts"

const stored = {
  Covered: { response: ResponseId },
  Empty: { response: ResponseId, recheckAfter: Schema.NullOr(EpochMillis) },
  Provisional: { response: ResponseId, until: EpochMillis },
  NotEntitled: { response: ResponseId, until: EpochMillis },
  NotFound: { response: ResponseId, until: EpochMillis }
}

/**
 * What is known about an interval of a series and kept. Each names the Response that proves it; nothing is stored about an
 * interval without one.
 *
 * - `Covered`: the rows of the interval are final and complete, as the vendor gave them.
 * - `Empty`: the vendor answered that it has no rows there; asked again after `recheckAfter`, or never when that is null.
 * - `Provisional`: rows were had, but the period was not over; stale from `until` on.
 * - `NotEntitled`, `NotFound`: the vendor said so; believed until `until`.
 */
export const StoredState = Schema.TaggedUnion(stored)
export type StoredState = typeof StoredState.Type

/**
 * The state of an interval in an answer. Beside the stored ones:
 *
 * - `Closed`: the exchange was closed (computed from the calendar, never stored).
 * - `Missing`: not asked for yet, or asked for in vain; then `cause` says why.
 * - `Throttled`: the vendor's budget is spent, or, where `cause` says so, it is left alone for another reason (it failed
 *   repeatedly); worth another try after `retryAfter` milliseconds.
 * - `Pending`: on its way in a request that is in flight.
 */
export const CoverageState = Schema.TaggedUnion({
  ...stored,
  Closed: { calendar: Schema.String },
  Missing: { cause: Schema.NullOr(Schema.Struct({ tag: Schema.String, message: Schema.String })) },
  Throttled: { retryAfter: Schema.Finite, cause: Schema.optionalKey(Schema.String) },
  Pending: { flight: Schema.String }
})
export type CoverageState = typeof CoverageState.Type

/**
 * The vendor's refusal of an interval that an earlier answer proves: what that proves stays, and the vendor is asked again after
 * `until`. `recordedAt` is the fetch time of `response`.
 */
export const Refused = Schema.Struct({
  tag: Schema.Literals(["NotFound", "NotEntitled"]),
  response: ResponseId,
  recordedAt: EpochMillis,
  until: EpochMillis
})
export interface Refused extends Schema.Schema.Type<typeof Refused> {}

/** One interval of a stored coverage, in UTC epoch milliseconds, half-open; `recordedAt` is the fetch time of its Response. */
export interface StoredCoverage {
  readonly start: EpochMillis
  readonly end: EpochMillis
  readonly state: StoredState
  readonly recordedAt: EpochMillis
  /** When its Response was asked for; absent where that was not kept, and then it is not known to differ from `recordedAt`. */
  readonly askedAt?: EpochMillis
  /** Of what is covered or empty: the newest refusal since. */
  readonly refusal?: Refused
}

/** One interval of an answer's coverage report. The intervals of a report are sorted, disjoint and leave no hole. */
export interface CoverageInterval {
  readonly start: EpochMillis
  readonly end: EpochMillis
  readonly state: CoverageState
  /** The vendor was asked for it again and said no; the rows are those that it gave before. */
  readonly refusal?: Refused
}

/** {@link CoverageInterval} on the wire. */
export const CoverageInterval = Schema.Struct({
  start: EpochMillis,
  end: EpochMillis,
  state: CoverageState,
  refusal: Schema.optionalKey(Refused)
})

/** True while a refusal is believed that changes nothing of what was proven before: the vendor is left alone. */
export const isPutOff = ({ refusal }: Pick<StoredCoverage, "refusal">, now: EpochMillis): boolean =>
  refusal !== undefined && now < refusal.until

/** True when the rows of the interval can be served as they are at `now`: final, or provisional and not yet stale. */
export const isFresh = (state: StoredState, now: EpochMillis): boolean =>
  StoredState.match(state, {
    Covered: () => true,
    Empty: ({ recheckAfter }) => recheckAfter === null || now < recheckAfter,
    Provisional: ({ until }) => now < until,
    NotEntitled: ({ until }) => now < until,
    NotFound: ({ until }) => now < until
  })

/** True where nobody need be asked at `now`: what is stored is fresh, or the vendor has said no to it just now. */
export const stands = (stored: Pick<StoredCoverage, "state" | "refusal">, now: EpochMillis): boolean =>
  isPutOff(stored, now) || isFresh(stored.state, now)

/** True for the states in which the caller has all the rows that exist: a whole answer is made of these. */
export const isComplete = (state: CoverageState): boolean =>
  state._tag === "Covered" || state._tag === "Empty" || state._tag === "Provisional" || state._tag === "Closed"
