import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Contract, ContractMatch, OptionChain } from "../../domain/Contract.ts"
import { OptionsSnapshot } from "../../domain/OptionsSnapshot.ts"
import { EpochMillis } from "../../domain/TimeRange.ts"
import { ContractLookupsError } from "../../services/ContractLookups.ts"
import { ContractQuery, FirstQuery, OptionsQuery } from "../../services/LookupCapability.ts"

const vendor = { vendor: Schema.String }
const query = { ...vendor, ...ContractQuery.fields }
const error = { error: ContractLookupsError }

/** What there is at a vendor. */
export class ContractRpcs extends RpcGroup.make(
  /** Every contract that a symbol may mean, at least one. */
  Rpc.make("Contracts.describe", { payload: query, success: Schema.Array(Contract), ...error }),
  /** Contracts whose symbol or name fits; may be none. */
  Rpc.make("Contracts.search", {
    payload: { ...vendor, pattern: Schema.String },
    success: Schema.Array(ContractMatch),
    ...error
  }),
  /** The options of one underlying, by exchange and class; may be none. */
  Rpc.make("Contracts.chain", { payload: query, success: Schema.Array(OptionChain), ...error }),
  /** The first instant of which there is history. */
  Rpc.make("Contracts.first", { payload: { ...vendor, ...FirstQuery.fields }, success: EpochMillis, ...error }),
  /** The options of an underlying about its price, as they stand now; takes as long as its vendor's pace says. */
  Rpc.make("Contracts.options", {
    payload: { ...vendor, ...OptionsQuery.fields },
    success: OptionsSnapshot,
    ...error
  })
) {}
