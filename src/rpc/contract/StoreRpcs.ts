import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { SchemaReport, SeriesStats, StoreSizes, StoreStatus } from "../../services/ControlPlane.ts"
import { MarketStoreError } from "../../services/MarketStore.ts"
import { OnShutdown } from "./Border.ts"

const { migrations: _, ...version } = SchemaReport.fields

/** The schema version that the store has, and what this release needs. */
export const SchemaVersion = Schema.Struct(version)
export interface SchemaVersion extends Schema.Schema.Type<typeof SchemaVersion> {}

/** The market store itself: what it is, and how large. */
export class StoreRpcs extends RpcGroup.make(
  Rpc.make("Store.version", { success: SchemaVersion, error: MarketStoreError }),
  Rpc.make("Store.status", { success: StoreStatus, error: MarketStoreError }),
  /** The sizes of its tables. Of an embedded store every page is looked at. */
  Rpc.make("Store.sizes", { success: StoreSizes, error: MarketStoreError }),
  /** What is stored of each series, ascending by its key. */
  Rpc.make("Store.series", { success: SeriesStats, error: MarketStoreError, stream: true }).annotate(OnShutdown, "cut")
) {}
