import { Context, type Effect, Schema } from "effect"
import type { Contract, ContractMatch, OptionChain } from "../domain/Contract.ts"
import type { OptionsSnapshot } from "../domain/OptionsSnapshot.ts"
import type { EpochMillis } from "../domain/TimeRange.ts"
import { VendorError } from "./Adapter.ts"
import { AdapterRegistryError } from "./AdapterRegistry.ts"
import type { ContractQuery, FirstQuery, OptionsQuery } from "./LookupCapability.ts"
import { ProvenanceStoreError } from "./ProvenanceStore.ts"
import { QuotaError } from "./Quota.ts"

/** The vendor cannot be asked this; `lookups` lists what it can. */
export class LookupNotOffered extends Schema.TaggedError<LookupNotOffered>()("LookupNotOffered", {
  vendor: Schema.String,
  lookup: Schema.String,
  lookups: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `vendor ${this.vendor} has no lookup ${this.lookup}; it has: ${this.lookups.join(", ") || "none"}`
  }
}
/** Several contracts fit where one is meant; `names` lists them, each as it is asked for alone. */
export class AmbiguousContract extends Schema.TaggedError<AmbiguousContract>()("AmbiguousContract", {
  vendor: Schema.String,
  symbol: Schema.String,
  names: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.symbol} is ${this.names.length} contracts at ${this.vendor}; say which: ${this.names.join(", ")}`
  }
}
/** The underlying has no options of that date, or none at all; `expirations` are the dates that it has. */
export class ExpiryNotListed extends Schema.TaggedError<ExpiryNotListed>()("ExpiryNotListed", {
  symbol: Schema.String,
  expiry: Schema.NullOr(Schema.String),
  expirations: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const { expirations, expiry, symbol } = this
    return expirations.length === 0
      ? `${symbol} has no options that have not expired`
      : `${symbol} has no options of ${expiry}; there are ${expirations.join(", ")}`
  }
}
/** More contracts than one snapshot may have. */
export class TooManyContracts extends Schema.TaggedError<TooManyContracts>()("TooManyContracts", {
  contracts: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `a snapshot has at most ${this.limit} contracts (OPTIONS_MAX_CONTRACTS), and not ${this.contracts}`
  }
}
/** Only of lookups by another process: it could not be reached, went away, or refused the call. */
export class LookupsUnavailable extends Schema.TaggedError<LookupsUnavailable>()("LookupsUnavailable", {
  again: Schema.Boolean,
  message: Schema.String
}) {}

/** Why a question has no answer: nothing such, or what the vendor, the quota, the registry or the archive said. */
export class ContractLookupsError extends Schema.TaggedError<ContractLookupsError>()("ContractLookupsError", {
  reason: Schema.Union([
    LookupNotOffered,
    AmbiguousContract,
    ExpiryNotListed,
    TooManyContracts,
    LookupsUnavailable,
    VendorError,
    QuotaError,
    AdapterRegistryError,
    ProvenanceStoreError
  ])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/**
 * What there is at a vendor: contracts, option chains, and how far history goes back. Each question passes the archive, the quota and
 * the single flight, and is answered from the archive for a day.
 */
export class ContractLookups extends Context.Service<
  ContractLookups,
  {
    /** Every contract that a symbol may mean, at least one; none is a VendorError of reason NotFound. */
    readonly describe: (
      vendor: string,
      query: ContractQuery
    ) => Effect.Effect<ReadonlyArray<Contract>, ContractLookupsError>
    /** Contracts whose symbol or name fits, as far as the vendor lists them; may be none. */
    readonly search: (
      vendor: string,
      pattern: string
    ) => Effect.Effect<ReadonlyArray<ContractMatch>, ContractLookupsError>
    /** The options of one underlying, by exchange and class; may be none. */
    readonly chain: (
      vendor: string,
      underlying: ContractQuery
    ) => Effect.Effect<ReadonlyArray<OptionChain>, ContractLookupsError>
    /** The first instant of which there is history, in UTC epoch milliseconds. */
    readonly first: (vendor: string, query: FirstQuery) => Effect.Effect<EpochMillis, ContractLookupsError>
    /**
     * The options of an underlying about its price, as they stand now: asked for a few at a time, archived, and never answered from the
     * archive. One that is not listed is left out and said.
     */
    readonly options: (vendor: string, query: OptionsQuery) => Effect.Effect<OptionsSnapshot, ContractLookupsError>
  }
>()("tapestry/ContractLookups") {}
