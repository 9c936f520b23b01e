/** What an operator asks a market store, and has it do, whatever release wrote it: nothing here needs a schema that is up to date. */
import type { Effect, Stream } from "effect"
import type { KindCount, SchemaReport, SeriesStats, Stamped, TableSize } from "../../../services/ControlPlane.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { Dropped, Retention } from "../../../services/StorePolicies.ts"
import type { Tenants } from "../../../services/Tenants.ts"
import type { StorePolicies } from "./StorePolicies.ts"

export interface StoreUpkeep {
  readonly store: "sqlite" | "postgres"
  /** A path, or `host:port/database`. */
  readonly where: string
  readonly report: Effect.Effect<SchemaReport, MarketStoreError>
  /** Needs a schema that is up to date. */
  readonly tenants: Tenants
  /** What it takes on the disk, its log and indexes included. */
  readonly bytes: Effect.Effect<number, MarketStoreError>
  readonly kinds: Effect.Effect<ReadonlyArray<KindCount>, MarketStoreError>
  /** Ascending by name. In SQLite every page of the file is looked at for it, in steps. */
  readonly tables: Effect.Effect<ReadonlyArray<TableSize>, MarketStoreError>
  /** Ascending by key. */
  readonly series: Stream.Stream<SeriesStats, MarketStoreError>
  /** Runs what is pending, all of it in one transaction; says which. Of two that do so at once one finds nothing to do. */
  readonly migrate: Effect.Effect<ReadonlyArray<number>, MarketStoreError>
  /**
   * Records the migrations up to `version` without running them, where the tables are exactly those that they make; without
   * `confirm` only looks whether they are. It never takes a record away.
   */
  readonly stamp: (version: number, options: { readonly confirm: boolean }) => Effect.Effect<Stamped, MarketStoreError>
  /** What keeps it from having any, in one sentence, where it has not TimescaleDB. */
  readonly policies: Effect.Effect<StorePolicies | string, MarketStoreError>
  /** Drops rows before an instant, and all that says that they are there; without `apply` only says what would go. */
  readonly retain: (
    of: Retention,
    before: number,
    options: { readonly apply: boolean }
  ) => Effect.Effect<Dropped, MarketStoreError>
}
