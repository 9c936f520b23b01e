/** All procedures of a server, over the services. They only translate between the contract and the services. */
import { Layer } from "effect"
import type { Rpc, RpcGroup } from "effect/rpc"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { ApiConfig } from "../../services/ApiConfig.ts"
import type { BatchProcessor } from "../../services/BatchProcessor.ts"
import type { Calendar } from "../../services/Calendar.ts"
import type { ContractLookups } from "../../services/ContractLookups.ts"
import type { ControlPlane } from "../../services/ControlPlane.ts"
import type { Imports } from "../../services/Imports.ts"
import type { JobQueue } from "../../services/JobQueue.ts"
import type { Maintenance } from "../../services/Maintenance.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { MarketStreams } from "../../services/MarketStreams.ts"
import type { Orders } from "../../services/Orders.ts"
import type { PreferredVendors } from "../../services/PreferredVendors.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { Quota } from "../../services/Quota.ts"
import type { Reconciliation } from "../../services/Reconciliation.ts"
import type { Recorder } from "../../services/Recorder.ts"
import type { StitchingCache } from "../../services/StitchingCache.ts"
import type { TapestryRpcs } from "../contract/TapestryRpcs.ts"
import * as AdminHandlers from "./AdminHandlers.ts"
import * as ArchiveHandlers from "./ArchiveHandlers.ts"
import * as CalendarHandlers from "./CalendarHandlers.ts"
import * as ContractHandlers from "./ContractHandlers.ts"
import * as ImportHandlers from "./ImportHandlers.ts"
import * as JobHandlers from "./JobHandlers.ts"
import * as OrderHandlers from "./OrderHandlers.ts"
import * as PreferredHandlers from "./PreferredHandlers.ts"
import * as QuotaHandlers from "./QuotaHandlers.ts"
import * as ReconcileHandlers from "./ReconcileHandlers.ts"
import * as SeriesHandlers from "./SeriesHandlers.ts"
import type { ServerInfo } from "./ServerInfo.ts"
import * as StoreHandlers from "./StoreHandlers.ts"
import * as StreamHandlers from "./StreamHandlers.ts"
import * as SystemHandlers from "./SystemHandlers.ts"
import * as VendorsHandlers from "./VendorsHandlers.ts"

export const layer: Layer.Layer<
  Rpc.ToHandler<RpcGroup.Rpcs<typeof TapestryRpcs>>,
  never,
  | AdapterRegistry
  | ApiConfig
  | BatchProcessor
  | Calendar
  | ContractLookups
  | ControlPlane
  | Imports
  | JobQueue
  | Maintenance
  | MarketStore
  | MarketStreams
  | Orders
  | ProvenanceStore
  | Quota
  | PreferredVendors
  | Reconciliation
  | Recorder
  | StitchingCache
  | ServerInfo
> = Layer.mergeAll(
  SystemHandlers.layer,
  VendorsHandlers.layer,
  SeriesHandlers.layer,
  ArchiveHandlers.layer,
  QuotaHandlers.layer,
  ReconcileHandlers.layer,
  PreferredHandlers.layer,
  CalendarHandlers.layer,
  ImportHandlers.layer,
  JobHandlers.layer,
  StoreHandlers.layer,
  StreamHandlers.layer,
  ContractHandlers.layer,
  OrderHandlers.layer,
  AdminHandlers.layer
)
