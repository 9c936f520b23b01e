import { Schema } from "effect"
import { ResponseId } from "./Response.ts"
import { EpochMillis } from "./TimeRange.ts"

/**
 * Where a stored row came from: the archived Response, the row's position in its payload (what the number counts is the
 * decoder's: a line of a CSV file, an index in a JSON array; the adapter's `locate` turns it into an excerpt), the version of
 * the decoder that read it, and the fetch time, which is when the row became known here.
 */
export const Lineage = Schema.Struct({
  response: ResponseId,
  position: Schema.Int,
  decoderVersion: Schema.Int,
  recordedAt: EpochMillis
})
export interface Lineage extends Schema.Schema.Type<typeof Lineage> {}
