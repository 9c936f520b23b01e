import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { QuotaError, QuotaUse } from "../../services/Quota.ts"

/** What is spent of the vendors' budgets at this moment. */
export class QuotaRpcs extends RpcGroup.make(
  Rpc.make("Quota.use", { payload: { account: Schema.String }, success: QuotaUse, error: QuotaError }),
  /** Of the accounts of all registered vendors, in alphabetical order. */
  Rpc.make("Quota.list", { success: Schema.Array(QuotaUse), error: QuotaError })
) {}
