import { Context, type Effect, Schema, type Scope } from "effect"
import type { QuotaWindow } from "../domain/VendorLimits.ts"

/**
 * The budget is spent now; `retryAfter` milliseconds from now the same request would pass if nobody else came. `window` names
 * what it waits for; with "requests in flight" `retryAfter` is a guess, since nobody knows when a vendor answers.
 */
export class Pacing extends Schema.TaggedError<Pacing>()("Pacing", {
  account: Schema.String,
  window: Schema.String,
  retryAfter: Schema.Finite
}) {}
/**
 * The account's breaker is open after repeated failures; probed again after `retryAfter` milliseconds. `lastFailure` is what the
 * last of them said; absent when it is not known here.
 */
export class BreakerOpen extends Schema.TaggedError<BreakerOpen>()("BreakerOpen", {
  account: Schema.String,
  retryAfter: Schema.Finite,
  lastFailure: Schema.optionalKey(Schema.String)
}) {}
/** Too many wait already. */
export class WaitersFull extends Schema.TaggedError<WaitersFull>()("WaitersFull", {
  account: Schema.String,
  waiting: Schema.Int
}) {}
/** Weighs more than a window ever holds, and could wait for ever; or its weight is no number that can be counted. */
export class NeverFits extends Schema.TaggedError<NeverFits>()("NeverFits", {
  account: Schema.String,
  window: Schema.String,
  weight: Schema.Number,
  limit: Schema.Int
}) {}
/** No vendor has this account; `known` lists those there are. */
export class UnknownAccount extends Schema.TaggedError<UnknownAccount>()("UnknownAccount", {
  account: Schema.String,
  known: Schema.Array(Schema.String)
}) {}
/** The log of spent budget cannot be kept on disk; nothing is sent that is not written down first. */
export class QuotaUnavailable extends Schema.TaggedError<QuotaUnavailable>()("QuotaUnavailable", {
  message: Schema.String
}) {}

/** Why a request may not start now, or never. Instants and spans in it are milliseconds. */
export class QuotaError extends Schema.TaggedError<QuotaError>()("QuotaError", {
  reason: Schema.Union([Pacing, BreakerOpen, WaitersFull, NeverFits, UnknownAccount, QuotaUnavailable])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "Pacing":
        return `the budget of ${reason.account} (${reason.window}) is spent; try again in ${Math.ceil(reason.retryAfter / 1000)} s`
      case "BreakerOpen":
        return `${reason.account} failed repeatedly and rests${
          reason.lastFailure === undefined ? "" : ` (${reason.lastFailure})`
        }; try again in ${Math.ceil(reason.retryAfter / 1000)} s`
      case "WaitersFull":
        return `${reason.waiting} requests wait for ${reason.account} already; try again later`
      case "NeverFits":
        return `a request of weight ${reason.weight} never fits window ${reason.window} of ${reason.account} (limit ${reason.limit})`
      case "UnknownAccount":
        return `no vendor has an account ${reason.account}; known: ${reason.known.length === 0 ? "none" : reason.known.join(", ")}`
      case "QuotaUnavailable":
        return reason.message
    }
  }
}

/** The budget of one vendor account. */
export interface QuotaPolicy {
  readonly windows: ReadonlyArray<QuotaWindow>
  readonly maxInFlight: number | null
}

/** What a request takes from its account's budget. */
export interface QuotaRequest {
  readonly weight: number
  /** Values of the keys that keyed windows count by. A window whose key is absent here does not count the request. */
  readonly keys: Readonly<Record<string, string>>
  /**
   * Higher first; equal ones in order of arrival. From -100 to 100; a point is worth some time of waiting (a minute unless
   * the layer says otherwise), so that nobody is overtaken for ever.
   */
  readonly priority: number
}

/** A request that may start. */
export interface Reservation {
  /** How long the request waited, in whole milliseconds. */
  readonly waited: number
}

/** What an account has spent at this moment, one entry a window and value of its key; `span` is in milliseconds. */
export const QuotaUse = Schema.Struct({
  account: Schema.String,
  windows: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      key: Schema.NullOr(Schema.String),
      used: Schema.Finite,
      limit: Schema.Int,
      span: Schema.Finite
    })
  ),
  inFlight: Schema.Int,
  waiting: Schema.Int,
  breaker: Schema.Literals(["closed", "open", "half-open"]),
  /** For how long the vendor asked to be left alone, in milliseconds from now; absent: not at all. */
  restsFor: Schema.optionalKey(Schema.Finite)
})
export interface QuotaUse extends Schema.Schema.Type<typeof QuotaUse> {}

/** One budget and one breaker per vendor account, shared by every caller in the data directory, remembered across restarts. */
export class Quota extends Context.Service<
  Quota,
  {
    /**
     * Sets the policy of an account; one that has none is never made to wait. A later call replaces it. What was spent while
     * it had windows stays spent, as far back as the longest of them reached.
     */
    readonly configure: (account: string, policy: QuotaPolicy) => Effect.Effect<void, QuotaError>
    /**
     * Waits for a place in every window at once, takes it, and holds a place in flight until the scope closes. Interrupted
     * while waiting, it has taken nothing.
     */
    readonly reserve: (account: string, request: QuotaRequest) => Effect.Effect<Reservation, QuotaError, Scope.Scope>
    /** As `reserve`, but fails with Pacing where it would wait. */
    readonly tryReserve: (account: string, request: QuotaRequest) => Effect.Effect<Reservation, QuotaError, Scope.Scope>
    /**
     * When each of these requests, made now in this order, would start: milliseconds from now, those who wait already counted
     * in. Places in flight are taken to be free. Spends nothing.
     */
    readonly forecast: (
      account: string,
      requests: ReadonlyArray<QuotaRequest>
    ) => Effect.Effect<ReadonlyArray<number>, QuotaError>
    /**
     * Runs a call under the account's breaker. `countsAgainst` says which failures speak against the vendor's health (a
     * refusal does not). Fails with BreakerOpen without running it while the breaker is open.
     */
    readonly guard: <A, E, R>(
      account: string,
      call: Effect.Effect<A, E, R>,
      countsAgainst: (error: E) => boolean
    ) => Effect.Effect<A, E | QuotaError, R>
    /**
     * The vendor asked to be left alone for so many milliseconds: until then nothing is let go for this account, also after a
     * restart. Who comes meanwhile waits for a short rest, and fails with Pacing at once where it is longer than the layer's
     * patience (a minute unless it says otherwise).
     */
    readonly rest: (account: string, millis: number) => Effect.Effect<void, QuotaError>
    readonly use: (account: string) => Effect.Effect<QuotaUse, QuotaError>
  }
>()("tapestry/Quota") {}
