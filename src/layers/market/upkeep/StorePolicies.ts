/** What a store does by itself as it grows: chunks, compression, retention. Of a database with TimescaleDB. */
import type { Effect } from "effect"
import type { DerivedTimeframe } from "../../../domain/derivedTimeframes.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { Aggregate, Hypertable, Policy, Retention } from "../../../services/StorePolicies.ts"

export interface StorePolicies {
  /** Of TimescaleDB. */
  readonly version: string
  readonly hypertables: Effect.Effect<ReadonlyArray<Hypertable>, MarketStoreError>
  readonly aggregates: Effect.Effect<ReadonlyArray<Aggregate>, MarketStoreError>
  readonly policies: Effect.Effect<ReadonlyArray<Policy>, MarketStoreError>
  /** Makes the tables of rows and revisions hypertables, and says which were none; rows that are there are moved into chunks. */
  readonly apply: Effect.Effect<ReadonlyArray<string>, MarketStoreError>
  /** Of chunks that are made from now on. */
  readonly setChunks: (table: string, millis: number) => Effect.Effect<void, MarketStoreError>
  readonly setCompression: (table: string, afterMillis: number) => Effect.Effect<void, MarketStoreError>
  /** Whether there was one. */
  readonly removeCompression: (table: string) => Effect.Effect<boolean, MarketStoreError>
  /** Compresses chunks that end before an instant, now; gives how many such there are. */
  readonly compress: (table: string, before: number) => Effect.Effect<number, MarketStoreError>
  readonly setRetention: (of: Retention, afterMillis: number) => Effect.Effect<void, MarketStoreError>
  /** With the policy that refreshes it so often; false where it was there and only the policy is another. */
  readonly addAggregate: (timeframe: DerivedTimeframe, everyMillis: number) => Effect.Effect<boolean, MarketStoreError>
  /** Whether there was one. */
  readonly removeAggregate: (timeframe: DerivedTimeframe) => Effect.Effect<boolean, MarketStoreError>
  /** Makes it anew where bars have changed since, in a range or everywhere, now. */
  readonly refreshAggregate: (
    timeframe: DerivedTimeframe,
    range: TimeRange | null
  ) => Effect.Effect<void, MarketStoreError>
  readonly removeRetention: (of: Retention) => Effect.Effect<boolean, MarketStoreError>
}
