import { Context, type Effect, type Scope } from "effect"
import type { TenantName } from "../domain/Tenant.ts"
import type { AdapterRegistry } from "./AdapterRegistry.ts"
import type { ApiConfig } from "./ApiConfig.ts"
import type { BatchProcessor } from "./BatchProcessor.ts"
import type { Calendar } from "./Calendar.ts"
import type { ContractLookups } from "./ContractLookups.ts"
import type { ControlPlane } from "./ControlPlane.ts"
import type { Imports } from "./Imports.ts"
import type { IngestSession } from "./IngestSession.ts"
import type { JobLedger } from "./JobLedger.ts"
import type { JobQueue } from "./JobQueue.ts"
import type { Maintenance } from "./Maintenance.ts"
import type { MarketStore } from "./MarketStore.ts"
import type { MarketStreams } from "./MarketStreams.ts"
import type { Orders } from "./Orders.ts"
import type { PreferredVendors } from "./PreferredVendors.ts"
import type { ProvenanceStore } from "./ProvenanceStore.ts"
import type { Quota } from "./Quota.ts"
import type { Reconciliation } from "./Reconciliation.ts"
import type { Recorder } from "./Recorder.ts"
import type { RecordStore } from "./RecordStore.ts"
import type { StitchingCache } from "./StitchingCache.ts"
import type { TenantError } from "./TenantError.ts"

/** What works for one tenant; vendors, calendars and the quota are the same for all. */
export type TenantServices =
  | AdapterRegistry
  | ApiConfig
  | BatchProcessor
  | Calendar
  | ContractLookups
  | ControlPlane
  | Imports
  | IngestSession
  | JobLedger
  | JobQueue
  | Maintenance
  | MarketStore
  | MarketStreams
  | Orders
  | PreferredVendors
  | ProvenanceStore
  | Quota
  | Reconciliation
  | Recorder
  | RecordStore
  | StitchingCache

/** The tenants of a process that owns a data directory, beside the one that it was started for. */
export class OpenTenants extends Context.Service<
  OpenTenants,
  {
    /** The one that it was started for: its services are those at hand. */
    readonly own: TenantName
    /**
     * The services of another one, until the scope closes. They are opened by whoever asks first, once for all, and closed when nobody
     * has them for a while, or with the process.
     */
    readonly services: (tenant: TenantName) => Effect.Effect<Context.Context<TenantServices>, TenantError, Scope.Scope>
  }
>()("tapestry/OpenTenants") {}
