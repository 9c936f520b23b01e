/** What an operator asks a market store, and has it do, whatever release wrote it: nothing here needs a schema that is up to date. */
import type { Effect } from "effect"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { SchemaReport } from "./SchemaReport.ts"

export interface KindCount {
  readonly kind: string
  readonly series: number
  /** Those that readers see. */
  readonly rows: number
  readonly revisions: number
}

export interface SeriesStats {
  /** The canonical key. */
  readonly series: string
  readonly kind: string
  /** Those that readers see. */
  readonly rows: number
  /** Of all generations that are still there. */
  readonly storedRows: number
  readonly revisions: number
  /** Answers that are applied. */
  readonly responses: number
  /** Intervals of coverage. */
  readonly intervals: number
}

export interface TableSize {
  readonly table: string
  /** With its indexes. */
  readonly bytes: number
}

export interface Stamped {
  /** Migrations that are recorded now, and were not, or with another checksum. */
  readonly recorded: ReadonlyArray<number>
  /** False where it was only looked at. */
  readonly done: boolean
}

export interface StoreUpkeep {
  readonly store: "sqlite" | "postgres"
  /** A path, or `host:port/database`. */
  readonly where: string
  readonly report: Effect.Effect<SchemaReport, MarketStoreError>
  /** What it takes on the disk, its log and indexes included. */
  readonly bytes: Effect.Effect<number, MarketStoreError>
  readonly kinds: Effect.Effect<ReadonlyArray<KindCount>, MarketStoreError>
  /** Ascending by name. In SQLite every page of the file is looked at for it. */
  readonly tables: Effect.Effect<ReadonlyArray<TableSize>, MarketStoreError>
  /** Ascending by key. */
  readonly series: Effect.Effect<ReadonlyArray<SeriesStats>, MarketStoreError>
  /** Runs what is pending, all of it in one transaction; says which. Of two that do so at once one finds nothing to do. */
  readonly migrate: Effect.Effect<ReadonlyArray<number>, MarketStoreError>
  /**
   * Records the migrations up to `version` without running them, where the tables are exactly those that they make; without
   * `confirm` only looks whether they are. It never takes a record away.
   */
  readonly stamp: (version: number, options: { readonly confirm: boolean }) => Effect.Effect<Stamped, MarketStoreError>
}
