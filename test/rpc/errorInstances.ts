/** One instance of each error of the contract, by its path: what a handler raises where a test cannot provoke it. */

import { JobId } from "../../src/domain/Job.ts"
import { AdminError, AdminOff, NotOfTenant, Unauthenticated } from "../../src/rpc/contract/AdminOnly.ts"
import {
  InternalError,
  ProtocolError,
  ProtocolErrorCode,
  ShuttingDown,
  TooBusy
} from "../../src/rpc/contract/Border.ts"
import { errorPath } from "../../src/rpc/handlers/errorPath.ts"
import * as Adapter from "../../src/services/Adapter.ts"
import * as Registry from "../../src/services/AdapterRegistry.ts"
import { ApiConfigError, ConfigChanged, InvalidConfig } from "../../src/services/ApiConfig.ts"
import { CalendarError, UnknownCalendar } from "../../src/services/Calendar.ts"
import * as Lookups from "../../src/services/ContractLookups.ts"
import { ImportsError, RowRefused, UnreadableText, VendorNotOurs } from "../../src/services/Imports.ts"
import { AlreadySent, CacheMiss, IngestSessionError } from "../../src/services/IngestSession.ts"
import * as Jobs from "../../src/services/JobQueue.ts"
import * as Upkeep from "../../src/services/Maintenance.ts"
import * as Market from "../../src/services/MarketStore.ts"
import * as Streams from "../../src/services/MarketStreams.ts"
import { OrdersError } from "../../src/services/Orders.ts"
import { DifferentSeries, PreferredVendorsError } from "../../src/services/PreferredVendors.ts"
import * as Archive from "../../src/services/ProvenanceStore.ts"
import * as Quota from "../../src/services/Quota.ts"
import { NotComparable, ReconciliationError } from "../../src/services/Reconciliation.ts"
import { RecorderError, RecorderUnavailable } from "../../src/services/Recorder.ts"
import * as Cache from "../../src/services/StitchingCache.ts"
import {
  NoSuchTenant,
  TenantError,
  TenantMalformed,
  TenantUnavailable,
  TooManyTenants
} from "../../src/services/TenantError.ts"

const message = 'what was said: ü, \u{1F4C8}, "quoted"\nand a second line'
const account = "model"
const sha256 = "ab".repeat(32)

const vendor = [
  new Adapter.Throttled({ retryAfter: 1_500.5 }),
  new Adapter.NotEntitled({ message }),
  new Adapter.NotFound({ message }),
  new Adapter.Unavailable({ message }),
  new Adapter.Rejected({ message }),
  new Adapter.Unsupported({ message }),
  new Adapter.Malformed({ position: null, message }),
  new Adapter.OutcomeUnknown({ reference: "7/42", message })
].map((reason) => new Adapter.VendorError({ vendor: "model", reason }))

const registry = [
  new Registry.DuplicateVendor({ vendor: "model" }),
  new Registry.UnknownVendor({ vendor: "modle", known: ["model", "sample"] }),
  new Registry.MissingCapability({ vendor: "model", capability: "send", has: ["fetch", "stream"] })
].map((reason) => new Registry.AdapterRegistryError({ reason }))

const calendar = [new UnknownCalendar({ calendar: "XNEW", known: ["24/7", "XNYS"] })].map(
  (reason) => new CalendarError({ reason })
)

const quota = [
  new Quota.Pacing({ account, window: "10 minutes", retryAfter: 12_345 }),
  new Quota.BreakerOpen({ account, retryAfter: 30_000 }),
  new Quota.WaitersFull({ account, waiting: 1_000 }),
  new Quota.NeverFits({ account, window: "10 minutes", weight: 61, limit: 60 }),
  new Quota.UnknownAccount({ account, known: ["model", "sample"] }),
  new Quota.QuotaUnavailable({ message })
].map((reason) => new Quota.QuotaError({ reason }))

const archive = [
  new Archive.ArchiveUnavailable({ message }),
  new Archive.ArchiveFull({ message }),
  new Archive.ArchiveReadOnly({ message }),
  new Archive.ArchiveSchemaMismatch({ message }),
  new Archive.ArchiveLost({ message }),
  new Archive.RecordNotFound({ record: "response", id: 9_007_199_254_740_991 }),
  new Archive.PayloadDamaged({ sha256, problem: "torn", message }),
  new Archive.PayloadTooLarge({ sizeBytes: 67_108_865, limit: 67_108_864 }),
  new Archive.NotCanonical({ message })
].map((reason) => new Archive.ProvenanceStoreError({ reason }))

const market = [
  new Market.StoreUnavailable({ message }),
  new Market.StoreRetryable({ message }),
  new Market.StoreTimeout({ message }),
  new Market.StoreTenantDenied({ message }),
  new Market.StoreConstraintViolation({ constraint: "bars_close_check", index: 4_711, ts: -1, message }),
  new Market.StoreConstraintViolation({ constraint: null, index: null, ts: null, message }),
  new Market.StoreFull({ message }),
  new Market.StoreReadOnly({ message }),
  new Market.StoreSchemaMismatch({ message }),
  new Market.InvalidRow({ index: 4_711, ts: -1, message }),
  new Market.InvalidCoverage({ message }),
  new Market.GenerationGone({ message })
].map((reason) => new Market.MarketStoreError({ reason }))

const ingest = [new CacheMiss({ source: "model", identity: sha256 }), ...vendor, ...quota, ...registry, ...archive].map(
  (reason) => new IngestSessionError({ reason })
)

const cache = [
  new Cache.RangeIncomplete({
    holes: [
      { start: 0, end: 60_000, state: { _tag: "Missing", cause: { tag: "Rejected", message } } },
      { start: 60_000, end: 120_000, state: { _tag: "Throttled", retryAfter: 1_000 } }
    ]
  }),
  new Cache.TooManyRows({ rows: 10_000_001, limit: 10_000_000 }),
  new Cache.TooManyRequests({ limit: 100_000 }),
  new Cache.DiskTooFull({
    directory: "/data",
    freeBytes: 99_000_000,
    neededBytes: 35_000_000,
    reserveBytes: 67_108_864
  }),
  new Cache.NoSuchRow({ ts: 1_709_510_400_000, series: "v1/model" }),
  new Cache.UnknownSeries({ series: "v1/model" }),
  new Cache.CacheUnavailable({ again: true, message }),
  ...vendor,
  ...registry,
  ...calendar,
  ...ingest,
  ...archive,
  ...quota,
  ...market
].map((reason) => new Cache.StitchingCacheError({ reason }))

const maintenance = [new Upkeep.MaintenanceUnavailable({ again: true, message }), ...archive, ...market].map(
  (reason) => new Upkeep.MaintenanceError({ reason })
)

const reconciliation = [new NotComparable({ message }), ...cache, ...market].map(
  (reason) => new ReconciliationError({ reason })
)

const preferred = [new DifferentSeries({ message }), ...cache].map((reason) => new PreferredVendorsError({ reason }))

const imports = [
  new UnreadableText({ line: 7, message }),
  new RowRefused({ line: 8, message }),
  new VendorNotOurs({ vendor: "yahoo" }),
  ...market,
  ...archive
].map((reason) => new ImportsError({ reason }))

const admin = [
  new Unauthenticated({ message }),
  new AdminOff({ message }),
  new NotOfTenant({ tenant: "acme", message })
].map((reason) => new AdminError({ reason }))

const tenant = [
  new TenantMalformed({ tenant: "Acme!", message }),
  new NoSuchTenant({ tenant: "acme", message }),
  new TooManyTenants({ tenant: "acme", max: 64 }),
  new TenantUnavailable({ tenant: "acme", message })
].map((reason) => new TenantError({ reason }))

const apiConfig = [
  new ConfigChanged({ key: "alerts/limits", version: 3, message }),
  new InvalidConfig({ message }),
  ...market
].map((reason) => new ApiConfigError({ reason }))

const job = JobId.make("0b5f3a0e-6f0a-4d2e-9a51-1d1f0c6f7a10")
const jobs = [
  new Jobs.UnknownJob({ job: "0b5f" }),
  new Jobs.AmbiguousJob({ job: "0b5f", matches: [job, job] }),
  new Jobs.UnknownJobType({ type: "repaint", known: ["backfill"] }),
  new Jobs.InvalidJob({ message }),
  new Jobs.JobFinished({ job, state: "completed" }),
  new Jobs.JobUnfinished({ job, state: "running" }),
  new Jobs.JobsUnavailable({ again: true, message }),
  ...market
].map((reason) => new Jobs.JobQueueError({ reason }))

const streams = [
  new Streams.SlowConsumer({ rows: 30, stream: 1, from: 1_700_000_000_000 }),
  new Streams.KindNotStreamed({ vendor: "model", kind: "depth", kinds: ["quotes", "trades"] }),
  new Streams.TooManyStreams({ streams: 0, limit: 10_000 }),
  new Streams.StreamsUnavailable({ again: true, message }),
  ...vendor,
  ...registry
].map((reason) => new Streams.MarketStreamsError({ reason }))

const recorder = [new RecorderUnavailable({ again: true, message }), ...streams, ...archive].map(
  (reason) => new RecorderError({ reason })
)

const lookups = [
  new Lookups.LookupNotOffered({ vendor: "model", lookup: "chain", lookups: ["describe", "search"] }),
  new Lookups.AmbiguousContract({ vendor: "model", symbol: "ALPHA", names: ["ALPHA", "#7"] }),
  new Lookups.ExpiryNotListed({ symbol: "ALPHA", expiry: "2026-05-16", expirations: ["2026-05-15"] }),
  new Lookups.TooManyContracts({ contracts: 60, limit: 50 }),
  new Lookups.LookupsUnavailable({ again: true, message }),
  ...vendor,
  ...quota,
  ...registry,
  ...archive
].map((reason) => new Lookups.ContractLookupsError({ reason }))

const orders = [
  new AlreadySent({ source: "model", key: "desk-1", request: 7, response: null }),
  ...vendor,
  ...quota,
  ...registry,
  ...archive
].map((reason) => new OrdersError({ reason }))

/** One for each code. */
export const protocolErrors = () =>
  ProtocolErrorCode.literals.map(
    (code, line) => new ProtocolError({ code, line, id: line % 2 === 0 ? "seven" : 7, message })
  )

const border = [
  new ProtocolError({ code: "BadPayload", line: 3, message }),
  new TooBusy({ limit: "streams", max: 16 }),
  new InternalError({ incident: "0badcafe" }),
  new ShuttingDown()
]

export type RaisedError =
  | (typeof vendor)[number]
  | (typeof registry)[number]
  | (typeof calendar)[number]
  | (typeof quota)[number]
  | (typeof archive)[number]
  | (typeof market)[number]
  | (typeof cache)[number]
  | (typeof maintenance)[number]
  | (typeof reconciliation)[number]
  | (typeof preferred)[number]
  | (typeof imports)[number]
  | (typeof jobs)[number]
  | (typeof apiConfig)[number]
  | (typeof streams)[number]
  | (typeof recorder)[number]
  | (typeof lookups)[number]
  | (typeof orders)[number]
  | (typeof admin)[number]
  | (typeof tenant)[number]
  | (typeof border)[number]

const all: ReadonlyArray<RaisedError> = [
  ...vendor,
  ...registry,
  ...calendar,
  ...quota,
  ...archive,
  ...market,
  ...cache,
  ...maintenance,
  ...reconciliation,
  ...preferred,
  ...imports,
  ...jobs,
  ...apiConfig,
  ...streams,
  ...recorder,
  ...lookups,
  ...orders,
  ...admin,
  ...tenant,
  ...border
]

export const errorInstances: ReadonlyMap<string, RaisedError> = new Map(all.map((error) => [errorPath(error), error]))
