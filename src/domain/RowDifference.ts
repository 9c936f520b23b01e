import { Schema } from "effect"
import { Bar } from "./Bar.ts"
import { ResponseId } from "./Response.ts"
import { AskedMillis, EpochMillis } from "./TimeRange.ts"

/** An instant of knowledge: a time in UTC, or the response that had just been fetched then. */
export const Moment = Schema.Union([AskedMillis, Schema.Struct({ response: ResponseId })])
export type Moment = typeof Moment.Type

/**
 * What was known of a stamp: the bar, or, where `bar` is null, that there was none. `response` is the answer that said so and
 * `recordedAt` when it was fetched; `final` is false while its vendor could still change it.
 */
export const KnownRow = Schema.Struct({
  bar: Schema.NullOr(Bar),
  final: Schema.Boolean,
  response: ResponseId,
  recordedAt: EpochMillis
})
export interface KnownRow extends Schema.Schema.Type<typeof KnownRow> {}

/**
 * A stamp of which two different things were known at two instants. `added`, `withdrawn` and `changed` are what the vendor did;
 * `unknown` is where one side can no longer be told: a provisional value that was overwritten, or a range that the later
 * instant knows nothing of (then that side is null). What was not known at the first instant at all is no difference.
 */
export const RowDifference = Schema.Struct({
  ts: EpochMillis,
  kind: Schema.Literals(["added", "withdrawn", "changed", "unknown"]),
  before: Schema.NullOr(KnownRow),
  after: Schema.NullOr(KnownRow)
})
export interface RowDifference extends Schema.Schema.Type<typeof RowDifference> {}
