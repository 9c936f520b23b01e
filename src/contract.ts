/**
 * The contract between Tapestry's servers and clients: procedures, records and errors. Nothing in it needs Node; it can be
 * bundled for a browser, where `RpcClient.make(TapestryRpcs)` gives the client.
 */
export * as Bar from "./domain/Bar.ts"
export * as Coverage from "./domain/Coverage.ts"
export * as Job from "./domain/Job.ts"
export * as Lineage from "./domain/Lineage.ts"
export * as Plan from "./domain/Plan.ts"
export * as Request from "./domain/Request.ts"
export * as Response from "./domain/Response.ts"
export * as Revision from "./domain/Revision.ts"
export * as SeriesKey from "./domain/SeriesKey.ts"
export * as Session from "./domain/Session.ts"
export { isRows, StreamEvent, StreamItem } from "./domain/streams/StreamEvent.ts"
export * as Timeframe from "./domain/Timeframe.ts"
export * as TimeRange from "./domain/TimeRange.ts"
export { TradingSession } from "./domain/TradingCalendar.ts"
export { AdminError, AdminOnly } from "./rpc/contract/AdminOnly.ts"
export { AdminRpcs } from "./rpc/contract/AdminRpcs.ts"
export { ArchiveRpcs, CompactEvent, GcEvent, VerifyEvent } from "./rpc/contract/ArchiveRpcs.ts"
export {
  Border,
  BorderError,
  InternalError,
  ProtocolError,
  ProtocolErrorCode,
  ShuttingDown,
  TooBusy,
  tenantHeader
} from "./rpc/contract/Border.ts"
export { CalendarRpcs } from "./rpc/contract/CalendarRpcs.ts"
export { ContractRpcs } from "./rpc/contract/ContractRpcs.ts"
export { Enqueued, JobRpcs, JobView } from "./rpc/contract/JobRpcs.ts"
export { QuotaRpcs } from "./rpc/contract/QuotaRpcs.ts"
export { BarPage, RangeReport, ReadEvent, RowReceipt } from "./rpc/contract/RangeReport.ts"
export { SeriesRpcs } from "./rpc/contract/SeriesRpcs.ts"
export { SchemaVersion, StoreRpcs } from "./rpc/contract/StoreRpcs.ts"
export { StreamRpcs } from "./rpc/contract/StreamRpcs.ts"
export { Health, Hello, protocolVersion, SystemRpcs } from "./rpc/contract/SystemRpcs.ts"
export { TapestryRpcs } from "./rpc/contract/TapestryRpcs.ts"
export { VendorsRpcs } from "./rpc/contract/VendorsRpcs.ts"
export { SeriesQuery, VendorError } from "./services/Adapter.ts"
export { AdapterRegistryError, VendorDescription } from "./services/AdapterRegistry.ts"
export { ApiConfigError } from "./services/ApiConfig.ts"
export { CalendarDescription, CalendarError } from "./services/Calendar.ts"
export { ContractLookupsError } from "./services/ContractLookups.ts"
export { Migrated, SchemaReport, SeriesStats, Stamped, StoreSizes, StoreStatus } from "./services/ControlPlane.ts"
export { IngestSessionError } from "./services/IngestSession.ts"
export { JobQueueError } from "./services/JobQueue.ts"
export { MaintenanceError } from "./services/Maintenance.ts"
export { LatestPrice, MarketStoreError, SeriesSummary } from "./services/MarketStore.ts"
export { MarketStreamsError, StreamSelection, StreamState } from "./services/MarketStreams.ts"
export {
  ArchiveStats,
  CompactReport,
  Damage,
  GcReport,
  ProvenanceStoreError,
  Retention,
  UpkeepProgress
} from "./services/ProvenanceStore.ts"
export { QuotaError, QuotaUse } from "./services/Quota.ts"
export { StitchingCacheError } from "./services/StitchingCache.ts"
export { TenantError } from "./services/TenantError.ts"
export { VendorSession } from "./services/VendorSession.ts"
