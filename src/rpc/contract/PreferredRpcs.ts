import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { OnMissing, RangePolicy } from "../../domain/Plan.ts"
import { AskedMillis, TimeRange } from "../../domain/TimeRange.ts"
import { SeriesQuery } from "../../services/Adapter.ts"
import {
  FailoverReason,
  PreferredPlan,
  PreferredReport,
  PreferredVendor,
  PreferredVendorsError,
  SourcedBar
} from "../../services/PreferredVendors.ts"
import { OnShutdown } from "./Border.ts"

const { symbol: _, ...parts } = SeriesQuery.fields

const query = {
  /** The most preferred one first, each with the symbol as it is spelled there. */
  vendors: Schema.NonEmptyArray(PreferredVendor),
  query: Schema.Struct(parts),
  range: TimeRange,
  policy: Schema.optionalKey(RangePolicy),
  on: Schema.optionalKey(Schema.Array(FailoverReason))
}
const reading = { onMissing: Schema.optionalKey(OnMissing), asOf: Schema.optionalKey(AskedMillis) }

/** One series at several vendors: each part from the first that gives it. */
export class PreferredRpcs extends RpcGroup.make(
  /** What a read would do, as far as it is known who gives what; asks nobody. */
  Rpc.make("Preferred.plan", { payload: query, success: PreferredPlan, error: PreferredVendorsError }),
  /** Has the range, and says which part came from whom, and why. */
  Rpc.make("Preferred.read", {
    payload: { ...query, ...reading },
    success: PreferredReport,
    error: PreferredVendorsError
  }),
  /** The bars of the range, ascending, each with its vendor; fetches what is missing first. */
  Rpc.make("Preferred.bars", {
    payload: { ...query, ...reading },
    success: SourcedBar,
    error: PreferredVendorsError,
    stream: true
  }).annotate(OnShutdown, "cut")
) {}
