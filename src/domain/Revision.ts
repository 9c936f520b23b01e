import type { Bar } from "./Bar.ts"
import type { ResponseId } from "./Response.ts"
import type { EpochMillis } from "./TimeRange.ts"

/**
 * A value that was believed from `recordedAt` until `supersededAt`. `corrected`: a final row came back with other values;
 * `finalised`: a provisional row became final with other values; `withdrawn`: a later answer for its range had no such row.
 * `bar` is null, and `position` -1, when what was superseded is the absence of a row in a final answer that covered its instant.
 */
export interface Revision {
  readonly ts: EpochMillis
  readonly bar: Bar | null
  readonly kind: "corrected" | "finalised" | "withdrawn"
  readonly response: ResponseId
  readonly position: number
  readonly recordedAt: EpochMillis
  readonly supersededAt: EpochMillis
  readonly supersededBy: ResponseId
}
