/** What a database with TimescaleDB does by itself, as operators see it, and retention, which every store has by command. */
import { Schema } from "effect"
import { derivedTimeframes } from "../domain/derivedTimeframes.ts"
import { RecordKind } from "../domain/records/RecordKind.ts"
import { Timeframe } from "../domain/Timeframe.ts"
import { EpochMillis } from "../domain/TimeRange.ts"

/**
 * `chunkMillis`: what chunks that are made from now on span. `before` and `after`: bytes of the compressed chunks, as they were and as
 * they are; null where none is.
 */
export const Hypertable = Schema.Struct({
  table: Schema.String,
  chunkMillis: Schema.Int,
  chunks: Schema.Int,
  compressedChunks: Schema.Int,
  before: Schema.NullOr(Schema.Int),
  after: Schema.NullOr(Schema.Int)
})
export interface Hypertable extends Schema.Schema.Type<typeof Hypertable> {}

/**
 * `job` is TimescaleDB's number of it. `of`: a table, a kind with or without a timeframe, or the timeframe of an aggregate. `afterMillis`:
 * the age from which on it acts; null: it has no such bound. `lastRun` is null before the first.
 */
export const Policy = Schema.Struct({
  job: Schema.Int,
  action: Schema.Literals(["compress", "retention", "refresh"]),
  of: Schema.String,
  afterMillis: Schema.NullOr(Schema.Int),
  everyMillis: Schema.Int,
  lastRun: Schema.NullOr(
    Schema.Struct({ at: EpochMillis, outcome: Schema.Literals(["running", "succeeded", "failed"]) })
  ),
  nextRun: Schema.NullOr(EpochMillis)
})
export interface Policy extends Schema.Schema.Type<typeof Policy> {}

/** Of bars of a minute, by the timeframe of what is made of them. `upTo`: what comes after is made when it is asked for; null: all is. */
export const Aggregate = Schema.Struct({ timeframe: Schema.String, upTo: Schema.NullOr(EpochMillis) })
export interface Aggregate extends Schema.Schema.Type<typeof Aggregate> {}

/** `timescale` is the version of the extension. */
export const PolicyReport = Schema.Struct({
  timescale: Schema.String,
  hypertables: Schema.Array(Hypertable),
  aggregates: Schema.Array(Aggregate),
  policies: Schema.Array(Policy)
})
export interface PolicyReport extends Schema.Schema.Type<typeof PolicyReport> {}

/** Which rows go when they are old: those of a kind, or of its series of one timeframe. */
export interface Retention {
  readonly kind: "bar" | RecordKind
  readonly timeframe: string | null
}

/** `rows`: of all generations. Everything before `before` is gone; null where nothing was old enough. */
export const Dropped = Schema.Struct({ rows: Schema.Int, chunks: Schema.Int, before: Schema.NullOr(EpochMillis) })
export interface Dropped extends Schema.Schema.Type<typeof Dropped> {}

/** The tables that are cut into chunks. */
export const ChunkedTableName = Schema.Literals([
  "bars",
  "revisions",
  "trades",
  "quotes",
  "statistics",
  "fundamentals",
  "news",
  "option_snapshots",
  "signals",
  "record_revisions"
])

const age = Schema.Int.check(Schema.isGreaterThan(0))

/**
 * What a database is to do by itself from now on, in the place of what was set before; null: no more. `chunks`: what chunks that are made
 * from now on span. `aggregate`: bars of that timeframe, made of bars of a minute, and how often they are made anew.
 */
export const PolicyChange = Schema.Union([
  Schema.Struct({ policy: Schema.Literal("chunks"), table: ChunkedTableName, millis: age }),
  Schema.Struct({ policy: Schema.Literal("compression"), table: ChunkedTableName, afterMillis: Schema.NullOr(age) }),
  Schema.Struct({
    policy: Schema.Literal("retention"),
    kind: Schema.Literals(["bar", ...RecordKind.literals]),
    timeframe: Schema.optionalKey(Timeframe),
    afterMillis: Schema.NullOr(age)
  }),
  Schema.Struct({
    policy: Schema.Literal("aggregate"),
    timeframe: Schema.Literals(derivedTimeframes),
    everyMillis: Schema.NullOr(age)
  })
])
export type PolicyChange = typeof PolicyChange.Type
