import { Effect, Schema } from "effect"
import { Bar } from "../domain/Bar.ts"
import { StoredAction } from "../domain/CorporateAction.ts"
import { Refused, StoredState } from "../domain/Coverage.ts"
import { Lineage } from "../domain/Lineage.ts"
import { Revision } from "../domain/Revision.ts"
import { SeriesDigest } from "../domain/SeriesDigest.ts"
import { EpochMillis } from "../domain/TimeRange.ts"

/** What is rebuilt, or compared. */
export interface RebuildOptions {
  /** Only series of this vendor, of this symbol; all unless given. */
  readonly vendor?: string
  readonly symbol?: string
  /** Changes nothing: builds beside the store and compares. */
  readonly check?: boolean
  /** How many of the rows, of the revisions and of the intervals that moved are told of each series; 100 unless given. */
  readonly moved?: number
}

const Row = Schema.Struct({ bar: Bar, lineage: Lineage, final: Schema.Boolean })
const Interval = Schema.Struct({
  start: EpochMillis,
  end: EpochMillis,
  state: StoredState,
  recordedAt: EpochMillis,
  askedAt: Schema.optionalKey(EpochMillis),
  refusal: Schema.optionalKey(Refused)
})
const both = <S extends Schema.Top>(schema: S) => ({
  series: Schema.String,
  stored: Schema.NullOr(schema),
  rebuilt: Schema.NullOr(schema)
})

/** A row, a revision or an interval of coverage that the store and the archive disagree about; null: one of them has none. */
export const Moved = Schema.TaggedUnion({ Row: both(Row), Revision: both(Revision), Coverage: both(Interval) })
export type Moved = typeof Moved.Type

/** A corporate action that the store and the archive disagree about, as {@link Moved}. */
export const MovedAction = Schema.Struct({
  stored: Schema.NullOr(StoredAction),
  rebuilt: Schema.NullOr(StoredAction)
})
export interface MovedAction extends Schema.Schema.Type<typeof MovedAction> {}

/** How many of each moved. */
export const MovedCounts = Schema.Struct({
  rows: Schema.Int,
  revisions: Schema.Int,
  coverage: Schema.Int,
  actions: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0)))
})
export interface MovedCounts extends Schema.Schema.Type<typeof MovedCounts> {}

/**
 * Told while the store is made again from the archive. Series are named by their canonical text.
 *
 * - `Progress`: how far it is.
 * - `Unread`: an archived answer that cannot be read: its bytes are damaged or gone (`damaged`), or the decoder refuses them, as it
 *   did when they came. The rest is rebuilt without it.
 * - `Skipped`: a series that cannot be rebuilt, since its vendor or its calendar is not configured, or its name in the archive is
 *   none of a bar series. What is stored of it stays as it is.
 * - `Difference`, `Compared`: of a check; `Compared` comes last of a series.
 * - `Rebuilt`: the series is in its place.
 * - `Finished`: the end; `series` counts those that were rebuilt or compared.
 */
export const RebuildEvent = Schema.TaggedUnion({
  Progress: {
    series: Schema.Int,
    ofSeries: Schema.Int,
    responses: Schema.Int,
    ofResponses: Schema.Int,
    rows: Schema.Int
  },
  Unread: { series: Schema.String, response: Schema.Int, damaged: Schema.Boolean, message: Schema.String },
  Skipped: { series: Schema.String, message: Schema.String },
  Difference: { moved: Moved },
  Compared: {
    series: Schema.String,
    stored: SeriesDigest,
    rebuilt: SeriesDigest,
    same: Schema.Boolean,
    moved: MovedCounts,
    /** Of corporate actions; they come with it, and not before. */
    actions: Schema.optionalKey(Schema.Array(MovedAction))
  },
  Rebuilt: { series: Schema.String, responses: Schema.Int, rows: Schema.Int },
  Finished: {
    series: Schema.Int,
    responses: Schema.Int,
    rows: Schema.Int,
    unread: Schema.Int,
    damaged: Schema.Int,
    skipped: Schema.Int,
    differing: Schema.Int
  }
})
export type RebuildEvent = typeof RebuildEvent.Type
