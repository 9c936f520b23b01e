import { Context, type Effect, Schema, type Stream } from "effect"
import type { DerivedTimeframe } from "../domain/derivedTimeframes.ts"
import type { EpochMillis, TimeRange } from "../domain/TimeRange.ts"
import type { MarketStoreError } from "./MarketStore.ts"
import { type Dropped, type PolicyChange, PolicyReport, type Retention } from "./StorePolicies.ts"

/** `name` is null for a migration that this release does not know. `changed`: it was applied with other statements than this release has. */
export const MigrationState = Schema.Struct({
  id: Schema.Int,
  name: Schema.NullOr(Schema.String),
  state: Schema.Literals(["applied", "pending", "changed", "unknown"])
})
export interface MigrationState extends Schema.Schema.Type<typeof MigrationState> {}

/**
 * `absent`: no tables yet. `unrecorded`: tables, and nothing that says which migrations made them. `newer`: by a newer release.
 * `foreign`: an older migration that this release does not know, or one that was changed since.
 */
export const SchemaState = Schema.Literals(["current", "behind", "absent", "unrecorded", "newer", "foreign"])
export type SchemaState = typeof SchemaState.Type

/** `version`: the highest migration that is recorded, 0 for none; `expected`: what this release needs. Migrations ascend. */
export const SchemaReport = Schema.Struct({
  version: Schema.Int,
  expected: Schema.Int,
  state: SchemaState,
  migrations: Schema.Array(MigrationState)
})
export interface SchemaReport extends Schema.Schema.Type<typeof SchemaReport> {}

/** `rows`: those that readers see. */
export const KindCount = Schema.Struct({
  kind: Schema.String,
  series: Schema.Int,
  rows: Schema.Int,
  revisions: Schema.Int
})
export interface KindCount extends Schema.Schema.Type<typeof KindCount> {}

/** `bytes`: with its indexes. */
export const TableSize = Schema.Struct({ table: Schema.String, bytes: Schema.Int })
export interface TableSize extends Schema.Schema.Type<typeof TableSize> {}

/**
 * `series` is the canonical key; `rows` are those that readers see, `storedRows` those of all generations that are still there, `responses`
 * the answers that are applied, `intervals` those of coverage.
 */
export const SeriesStats = Schema.Struct({
  series: Schema.String,
  kind: Schema.String,
  rows: Schema.Int,
  storedRows: Schema.Int,
  revisions: Schema.Int,
  responses: Schema.Int,
  intervals: Schema.Int
})
export interface SeriesStats extends Schema.Schema.Type<typeof SeriesStats> {}

const place = {
  store: Schema.Literals(["sqlite", "postgres"]),
  /** A path, or `host:port/database`. */
  where: Schema.String,
  /** What it takes on the disk, its log and indexes included. */
  bytes: Schema.Int
}

/**
 * `kinds` is null where the tables may be others than this release's, `timescale` in a store without it, and where `policiesWithheld`: the
 * user of the database may work in it and see no more.
 */
export const StoreStatus = Schema.Struct({
  ...place,
  ...SchemaReport.fields,
  kinds: Schema.NullOr(Schema.Array(KindCount)),
  timescale: Schema.NullOr(PolicyReport),
  policiesWithheld: Schema.Boolean
})
export interface StoreStatus extends Schema.Schema.Type<typeof StoreStatus> {}

/** Tables ascend by name. */
export const StoreSizes = Schema.Struct({ ...place, tables: Schema.Array(TableSize) })
export interface StoreSizes extends Schema.Schema.Type<typeof StoreSizes> {}

/** `applied`: the migrations that ran; `version`: what the store has now. */
export const Migrated = Schema.Struct({ applied: Schema.Array(Schema.Int), version: Schema.Int })
export interface Migrated extends Schema.Schema.Type<typeof Migrated> {}

/** `recorded`: migrations that are recorded now and were not, or with another checksum; `done` is false where it was only looked at. */
export const Stamped = Schema.Struct({ recorded: Schema.Array(Schema.Int), done: Schema.Boolean })
export interface Stamped extends Schema.Schema.Type<typeof Stamped> {}

/** What an operator asks the market store, and has it do. Nothing here needs a schema that is up to date. */
export class ControlPlane extends Context.Service<
  ControlPlane,
  {
    readonly schema: Effect.Effect<SchemaReport, MarketStoreError>
    readonly status: Effect.Effect<StoreStatus, MarketStoreError>
    /** Of market.sqlite every page is looked at, in steps between which everything else goes on. */
    readonly sizes: Effect.Effect<StoreSizes, MarketStoreError>
    /** Ascending by key; none where the tables may be others than this release's. */
    readonly series: Stream.Stream<SeriesStats, MarketStoreError>
    /** Runs what is pending, all of it in one transaction. Of two that do so at once one finds nothing to do. */
    readonly migrate: Effect.Effect<Migrated, MarketStoreError>
    /**
     * Records the migrations up to `version` without running them, where the tables are exactly those that they make; without
     * `confirm` only looks whether they are. It never takes a record away.
     */
    readonly stamp: (
      version: number,
      options: { readonly confirm: boolean }
    ) => Effect.Effect<Stamped, MarketStoreError>
    /** What the database does by itself; null where it has not TimescaleDB. */
    readonly policies: Effect.Effect<PolicyReport | null, MarketStoreError>
    /** Changes what the database does by itself; false where there was nothing to change. Needs TimescaleDB. */
    readonly setPolicy: (change: PolicyChange) => Effect.Effect<boolean, MarketStoreError>
    /** Drops rows before an instant, and all that says that they are there. */
    readonly retain: (of: Retention, before: EpochMillis) => Effect.Effect<Dropped, MarketStoreError>
    /** Compresses the chunks of a table that end before an instant, and says how many such there are; needs TimescaleDB. */
    readonly compress: (table: string, before: EpochMillis) => Effect.Effect<number, MarketStoreError>
    /** Makes derived bars anew where bars of a minute have changed, in a range or everywhere; needs TimescaleDB. */
    readonly refresh: (timeframe: DerivedTimeframe, range: TimeRange | null) => Effect.Effect<void, MarketStoreError>
  }
>()("tapestry/ControlPlane") {}
