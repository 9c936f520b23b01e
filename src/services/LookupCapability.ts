/**
 * How a vendor is asked what there is, beside rows: what an adapter that can tell has. Each question is a request like any other, sent by the
 * adapter's `fetch` and archived; these are the two pure sides of it.
 */
import { type Effect, Schema } from "effect"
import type { Contract, ContractMatch, OptionChain } from "../domain/Contract.ts"
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
}
