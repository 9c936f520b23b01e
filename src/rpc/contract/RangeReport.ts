import { Effect, Schema } from "effect"
import { Bar } from "../../domain/Bar.ts"
import { CoverageInterval, Refused } from "../../domain/Coverage.ts"
import { Lineage } from "../../domain/Lineage.ts"
import { Plan } from "../../domain/Plan.ts"
import { Request } from "../../domain/Request.ts"
import { Response } from "../../domain/Response.ts"
import { SeriesKey } from "../../domain/SeriesKey.ts"
import { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import { Excerpt } from "../../services/Adapter.ts"
import { GenerationId } from "../../services/MarketStore.ts"

/** An answered range without its rows (see RangeAnswer in services/StitchingCache.ts, which this is on the wire). */
export const RangeReport = Schema.Struct({
  series: SeriesKey,
  range: TimeRange,
  plan: Plan,
  coverage: Schema.Array(CoverageInterval),
  rowCount: Schema.Int,
  rowsFromVendor: Schema.Int,
  requests: Schema.Int,
  sharedRequests: Schema.Int,
  rowsRejected: Schema.optionalKey(Schema.Int),
  generation: Schema.optionalKey(GenerationId),
  cuts: Schema.optionalKey(Schema.Int),
  seams: Schema.optionalKey(Schema.Array(EpochMillis)),
  derived: Schema.optionalKey(Schema.Struct({ from: SeriesKey }))
})
export interface RangeReport extends Schema.Schema.Type<typeof RangeReport> {}

/** What is told while a range is being had: `Progress` whenever a request of the plan is done, and `Answered` once, last. */
export const ReadEvent = Schema.TaggedUnion({
  Progress: { done: Schema.Int, of: Schema.Int, rows: Schema.Int },
  Answered: { report: RangeReport }
})
export type ReadEvent = typeof ReadEvent.Type

/** Most bars of one page. */
export const pageRows = 1_000

/**
 * The first bars of a range, ascending, and what is known of the part of it that they are about. `next` is where the following
 * page starts; null when there is none. `derived` is as in the report.
 */
export const BarPage = Schema.Struct({
  bars: Schema.Array(Bar),
  coverage: Schema.Array(CoverageInterval),
  next: Schema.NullOr(EpochMillis),
  derived: Schema.optionalKey(Schema.Struct({ from: SeriesKey }))
})
export interface BarPage extends Schema.Schema.Type<typeof BarPage> {}

/** The chain behind one row, from the value back to the exact bytes (Receipt in services/StitchingCache.ts). */
export const RowReceipt = Schema.Struct({
  series: SeriesKey,
  bar: Bar,
  final: Schema.Boolean,
  lineage: Lineage,
  response: Response,
  request: Request,
  symbol: Schema.optionalKey(Schema.String),
  // A server of release 0.1 does not tell them.
  attempts: Schema.Array(Response).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
  excerpt: Excerpt,
  refusal: Schema.optionalKey(Refused)
})
export interface RowReceipt extends Schema.Schema.Type<typeof RowReceipt> {}
