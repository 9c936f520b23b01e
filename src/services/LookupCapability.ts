/**
 * How a vendor is asked what there is, beside rows: what an adapter that can tell has. Each question is a request like any other, sent by the
 * adapter's `fetch` and archived; these are the two pure sides of it.
 */
import { type Effect, Schema } from "effect"
import type { Contract, ContractMatch, OptionChain } from "../domain/Contract.ts"
import type { OptionSnapshot } from "../domain/records/OptionSnapshot.ts"
import type { EpochMillis } from "../domain/TimeRange.ts"
import type { VendorError, VendorRequest } from "./Adapter.ts"

/** What a user says of a contract. `symbol` as in the vendor's series; `currency` where it is not the vendor's default. */
export const ContractQuery = Schema.Struct({
  symbol: Schema.String,
  currency: Schema.optionalKey(Schema.String)
})
export interface ContractQuery extends Schema.Schema.Type<typeof ContractQuery> {}

/** History of what: trades unless given, and where a vendor has no trades of something (currencies), the middle. */
export const FirstQuery = Schema.Struct({
  ...ContractQuery.fields,
  price: Schema.optionalKey(Schema.Literals(["trade", "bid", "ask", "mid"]))
})
export interface FirstQuery extends Schema.Schema.Type<typeof FirstQuery> {}

/** What is asked for its price: a contract, or an option of a chain, whose `id` nobody has told yet. */
export interface Quotable
  extends Pick<
    Contract,
    "symbol" | "kind" | "currency" | "exchange" | "expiry" | "right" | "strike" | "multiplier" | "tradingClass"
  > {
  readonly id: string | null
}

/**
 * What stands at an instant; null where the vendor does not say, or there is none. `spot`, volatility and greeks are of an option, as in
 * {@link OptionSnapshot}.
 */
export interface StandingQuote
  extends Pick<
    OptionSnapshot,
    "bid" | "ask" | "last" | "iv" | "delta" | "gamma" | "theta" | "vega" | "openInterest" | "volume" | "spot"
  > {
  /** Of the session before. */
  readonly close: number | null
}

/** Which options are wanted. `expiry` is `2026-06-19` or `20260619`, the nearest there is unless given. */
export const OptionsQuery = Schema.Struct({
  ...ContractQuery.fields,
  expiry: Schema.optionalKey(Schema.String),
  maxContracts: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
})
export interface OptionsQuery extends Schema.Schema.Type<typeof OptionsQuery> {}

/** One kind of question. Both are pure: the same query is the same request, and the same bytes the same answer. */
export interface Lookup<Query, Answer> {
  readonly request: (query: Query) => Effect.Effect<VendorRequest, VendorError>
  readonly decode: (payload: Uint8Array, query: Query) => Effect.Effect<Answer, VendorError>
}

/** The capability to tell what there is. What is absent cannot be asked. */
export interface LookupCapability {
  /** Every contract that fits; none: an error NotFound, or an empty list. */
  readonly describe: Lookup<ContractQuery, ReadonlyArray<Contract>>
  readonly search?: Lookup<string, ReadonlyArray<ContractMatch>>
  /** Of an underlying that `describe` has told of. */
  readonly chain?: Lookup<Contract, ReadonlyArray<OptionChain>>
  readonly first?: Lookup<FirstQuery, EpochMillis>
  /** As it stands now: never answered from the archive. What is not listed is an error NotFound. */
  readonly quote?: Lookup<Quotable, StandingQuote>
}
