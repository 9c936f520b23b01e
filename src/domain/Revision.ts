import { Schema } from "effect"
import { Bar } from "./Bar.ts"
import { ResponseId } from "./Response.ts"
import { EpochMillis } from "./TimeRange.ts"

/**
 * A value that was believed from `recordedAt` until `supersededAt`. `corrected`: a final row came back with other values;
 * `finalised`: a provisional row became final with other values; `withdrawn`: a later answer for its range had no such row.
 * `bar` is null, and `position` -1, when what was superseded is the absence of a row in a final answer that covered its instant.
 */
export const Revision = Schema.Struct({
  ts: EpochMillis,
  bar: Schema.NullOr(Bar),
  kind: Schema.Literals(["corrected", "finalised", "withdrawn"]),
  response: ResponseId,
  position: Schema.Int,
  recordedAt: EpochMillis,
  supersededAt: EpochMillis,
  supersededBy: ResponseId
})
export interface Revision extends Schema.Schema.Type<typeof Revision> {}
