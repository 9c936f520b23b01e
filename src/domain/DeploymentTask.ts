/** What changes a deployment as a whole and takes its time: done as jobs, begun by who may (Admin). */
import { Schema } from "effect"
import { derivedTimeframes } from "./derivedTimeframes.ts"
import { RecordKind } from "./records/RecordKind.ts"
import { Timeframe } from "./Timeframe.ts"
import { TimeRange } from "./TimeRange.ts"

const age = Schema.Int.check(Schema.isGreaterThan(0))

/**
 * Drops rows of a kind, or of its bars of one timeframe, that are older than so many milliseconds. Without any of it, whatever the policies
 * of the database say is old enough is dropped now.
 */
export const RetentionTask = Schema.Struct({
  kind: Schema.optionalKey(Schema.Literals(["bar", ...RecordKind.literals])),
  timeframe: Schema.optionalKey(Timeframe),
  olderThanMillis: Schema.optionalKey(age)
}).pipe(
  Schema.check(
    Schema.makeFilter(
      ({ kind, olderThanMillis }) =>
        (kind === undefined) === (olderThanMillis === undefined) ||
        "kind and olderThanMillis go together; without both, the policies of the database are applied"
    ),
    Schema.makeFilter(
      ({ kind, timeframe }) => timeframe === undefined || kind === "bar" || "only bars have a timeframe"
    )
  )
)
export interface RetentionTask extends Schema.Schema.Type<typeof RetentionTask> {}

/** Compresses the chunks of a table that ended so many milliseconds ago; needs TimescaleDB. */
export const CompressTask = Schema.Struct({ table: Schema.NonEmptyString, olderThanMillis: age })
export interface CompressTask extends Schema.Schema.Type<typeof CompressTask> {}

/** Makes the bars that are made of bars of a minute anew where those have changed, of one timeframe or of all; needs TimescaleDB. */
export const RefreshTask = Schema.Struct({
  timeframe: Schema.optionalKey(Schema.Literals(derivedTimeframes)),
  range: Schema.optionalKey(TimeRange)
})
export interface RefreshTask extends Schema.Schema.Type<typeof RefreshTask> {}

/** `migrate`: runs the migrations that are pending. */
export const DeploymentTask = Schema.Union([
  Schema.Struct({ type: Schema.Literal("migrate") }),
  Schema.Struct({ type: Schema.Literal("retention"), payload: RetentionTask }),
  Schema.Struct({ type: Schema.Literal("compress"), payload: CompressTask }),
  Schema.Struct({ type: Schema.Literal("refresh"), payload: RefreshTask })
])
export type DeploymentTask = typeof DeploymentTask.Type
