import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { ConfigEntry, ConfigKey } from "../../domain/ConfigEntry.ts"
import { ApiConfigError } from "../../services/ApiConfig.ts"
import { BatchStats, FeedbackEvent } from "../../services/BatchProcessor.ts"
import { SchemaReport, SeriesStats, StoreSizes, StoreStatus } from "../../services/ControlPlane.ts"
import { ImportKind } from "../../services/Imports.ts"
import { MarketStoreError } from "../../services/MarketStore.ts"
import { OnShutdown, ShuttingDown } from "./Border.ts"

const { migrations: _, ...version } = SchemaReport.fields

/** The schema version that the store has, and what this release needs. */
export const SchemaVersion = Schema.Struct(version)
export interface SchemaVersion extends Schema.Schema.Type<typeof SchemaVersion> {}

const ifVersion = { ifVersion: Schema.optionalKey(Schema.Int) }

/** Most rows of one call. */
const mostRows = 4_096

const given = {
  kind: ImportKind,
  /** With the fields that `tapestry ingest` reads; each names its series, as far as `defaults` does not. */
  rows: Schema.Array(Schema.Record(Schema.String, Schema.Json)).check(Schema.isMaxLength(mostRows)),
  defaults: Schema.optionalKey(
    Schema.Struct({
      vendor: Schema.optionalKey(Schema.String),
      dataset: Schema.optionalKey(Schema.String),
      symbol: Schema.optionalKey(Schema.String),
      timeframe: Schema.optionalKey(Schema.String),
      price: Schema.optionalKey(Schema.String),
      session: Schema.optionalKey(Schema.String),
      currency: Schema.optionalKey(Schema.String),
      adjustment: Schema.optionalKey(Schema.String)
    })
  )
}

/** `rows`: those that were taken; `index` counts the given ones from 0. What the store refused is a dead letter, too. */
export const Taken = Schema.Struct({
  rows: Schema.Int,
  refused: Schema.Array(Schema.Struct({ index: Schema.Int, reason: Schema.String }))
})
export interface Taken extends Schema.Schema.Type<typeof Taken> {}

/** The market store itself: what it is, how large, and rows for it, through the server's batch processor. */
export class StoreRpcs extends RpcGroup.make(
  Rpc.make("Store.version", { success: SchemaVersion, error: MarketStoreError }),
  Rpc.make("Store.status", { success: StoreStatus, error: MarketStoreError }),
  /** The sizes of its tables. Of an embedded store every page is looked at. */
  Rpc.make("Store.sizes", { success: StoreSizes, error: MarketStoreError }),
  /** What is stored of each series, ascending by its key. */
  Rpc.make("Store.series", { success: SeriesStats, error: MarketStoreError, stream: true }).annotate(OnShutdown, "cut"),
  /** Answers when the rows are committed, and survive a kill; while the store is full or away that takes as long as it takes. */
  Rpc.make("Store.submit", { payload: given, success: Taken, error: ShuttingDown }),
  /** Answers when the rows are buffered; they are lost with the process. A full buffer makes the call wait. */
  Rpc.make("Store.offer", { payload: given, success: Taken, error: ShuttingDown }),
  /** Values that the tenant keeps in the store, ascending by key; of keys that begin with `prefix`. */
  Rpc.make("Store.config", {
    payload: { prefix: Schema.optionalKey(Schema.String) },
    success: Schema.Array(ConfigEntry),
    error: ApiConfigError
  }),
  /** Null where there is no such value. */
  Rpc.make("Store.configValue", {
    payload: { key: ConfigKey },
    success: Schema.NullOr(ConfigEntry),
    error: ApiConfigError
  }),
  /** `description`: absent leaves what there is, null takes it away. `ifVersion`: only where the value has that; 0: only where there is none. */
  Rpc.make("Store.setConfig", {
    payload: {
      key: ConfigKey,
      value: Schema.Json,
      description: Schema.optionalKey(Schema.NullOr(Schema.String)),
      ...ifVersion
    },
    success: ConfigEntry,
    error: ApiConfigError
  }),
  /** False where there was no such value. */
  Rpc.make("Store.unsetConfig", {
    payload: { key: ConfigKey, ...ifVersion },
    success: Schema.Boolean,
    error: ApiConfigError
  }),
  /**
   * How full each buffer of the batch processor is, and an event whenever one reaches a watermark or recovers. Who does not read loses the
   * oldest, never the last, and holds nobody up.
   */
  Rpc.make("Store.feedback", { success: FeedbackEvent, stream: true }).annotate(OnShutdown, "cut"),
  /** What the batch processor has done, by kind. */
  Rpc.make("Store.batches", { success: Schema.Array(BatchStats) })
) {}
