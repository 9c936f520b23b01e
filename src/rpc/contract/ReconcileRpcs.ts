import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { StoredMismatch, Tolerances } from "../../domain/Mismatch.ts"
import { RangePolicy } from "../../domain/Plan.ts"
import { SeriesKey } from "../../domain/SeriesKey.ts"
import { TimeRange } from "../../domain/TimeRange.ts"
import { ReconcileReport, ReconciliationError } from "../../services/Reconciliation.ts"
import { OnShutdown } from "./Border.ts"

const pair = { left: SeriesKey, right: SeriesKey, range: TimeRange }

/** What is told while two series are compared: `Progress` whenever a request for one of them is done, and `Compared` once, last. */
export const ReconcileEvent = Schema.TaggedUnion({
  Progress: { done: Schema.Int, of: Schema.Int, rows: Schema.Int },
  Compared: { report: ReconcileReport }
})
export type ReconcileEvent = typeof ReconcileEvent.Type

/** What vendors disagree about. */
export class ReconcileRpcs extends RpcGroup.make(
  /** Has both ranges, compares them where both are final, and keeps what they disagree about. */
  Rpc.make("Reconcile.run", {
    payload: { ...pair, tolerances: Tolerances, policy: Schema.optionalKey(RangePolicy) },
    success: ReconcileEvent,
    error: ReconciliationError,
    stream: true
  }),
  /** What is kept of two series, ascending by stamp; `open` leaves out what is resolved. */
  Rpc.make("Reconcile.mismatches", {
    payload: { ...pair, open: Schema.optionalKey(Schema.Boolean) },
    success: StoredMismatch,
    error: ReconciliationError,
    stream: true
  }).annotate(OnShutdown, "cut")
) {}
