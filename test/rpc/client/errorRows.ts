/** An instance of every error that the contract can answer with, by its tag. A nested reason is shown in one error that has it. */
import { InternalError, ProtocolError, ShuttingDown, TooBusy } from "../../../src/rpc/contract/Border.ts"
import {
  Malformed,
  NotEntitled,
  NotFound,
  Rejected,
  Throttled,
  Unavailable,
  Unsupported,
  VendorError,
  type VendorErrorReason
} from "../../../src/services/Adapter.ts"
import {
  AdapterRegistryError,
  DuplicateVendor,
  MissingCapability,
  UnknownVendor
} from "../../../src/services/AdapterRegistry.ts"
import { CacheMiss, IngestSessionError } from "../../../src/services/IngestSession.ts"
import {
  GenerationGone,
  InvalidCoverage,
  InvalidRow,
  MarketStoreError,
  StoreFull,
  StoreReadOnly,
  StoreSchemaMismatch,
  StoreUnavailable
} from "../../../src/services/MarketStore.ts"
import {
  ArchiveFull,
  ArchiveLost,
  ArchiveReadOnly,
  ArchiveSchemaMismatch,
  ArchiveUnavailable,
  NotCanonical,
  PayloadDamaged,
  PayloadTooLarge,
  ProvenanceStoreError,
  RecordNotFound
} from "../../../src/services/ProvenanceStore.ts"
import {
  BreakerOpen,
  NeverFits,
  Pacing,
  QuotaError,
  QuotaUnavailable,
  WaitersFull
} from "../../../src/services/Quota.ts"
import {
  CacheUnavailable,
  NoSuchRow,
  RangeIncomplete,
  StitchingCacheError,
  TooManyRows,
  UnknownSeries
} from "../../../src/services/StitchingCache.ts"

const message = "what the server said"
const account = "vendor-account"
const vendorError = (reason: VendorErrorReason) => new VendorError({ vendor: "vendor", reason })
const unavailable = new Unavailable({ message })

export const vendor = {
  VendorError: vendorError(unavailable),
  Throttled: vendorError(new Throttled({ retryAfter: 1_500 })),
  NotEntitled: vendorError(new NotEntitled({ message })),
  NotFound: vendorError(new NotFound({ message })),
  Unavailable: vendorError(unavailable),
  Rejected: vendorError(new Rejected({ message })),
  Unsupported: vendorError(new Unsupported({ message })),
  Malformed: vendorError(new Malformed({ position: 4_712, message }))
}

const unknownVendor = new AdapterRegistryError({ reason: new UnknownVendor({ vendor: "x", known: ["sample"] }) })
export const registry = {
  AdapterRegistryError: unknownVendor,
  DuplicateVendor: new AdapterRegistryError({ reason: new DuplicateVendor({ vendor: "x" }) }),
  UnknownVendor: unknownVendor,
  MissingCapability: new AdapterRegistryError({
    reason: new MissingCapability({ vendor: "x", capability: "stream", has: ["fetch"] })
  })
}

const archiveError = (reason: ProvenanceStoreError["reason"]) => new ProvenanceStoreError({ reason })
export const archive = {
  ProvenanceStoreError: archiveError(new ArchiveFull({ message })),
  ArchiveUnavailable: archiveError(new ArchiveUnavailable({ message })),
  ArchiveFull: archiveError(new ArchiveFull({ message })),
  ArchiveReadOnly: archiveError(new ArchiveReadOnly({ message })),
  ArchiveSchemaMismatch: archiveError(new ArchiveSchemaMismatch({ message })),
  ArchiveLost: archiveError(new ArchiveLost({ message })),
  RecordNotFound: archiveError(new RecordNotFound({ record: "session", id: 7 })),
  PayloadDamaged: archiveError(new PayloadDamaged({ sha256: "0".repeat(64), problem: "torn", message })),
  PayloadTooLarge: archiveError(new PayloadTooLarge({ sizeBytes: 10, limit: 5 })),
  NotCanonical: archiveError(new NotCanonical({ message }))
}

const pacing = new QuotaError({ reason: new Pacing({ account, window: "10 minutes", retryAfter: 30_000 }) })
export const quota = {
  QuotaError: pacing,
  Pacing: pacing,
  BreakerOpen: new QuotaError({ reason: new BreakerOpen({ account, retryAfter: 30_000 }) }),
  WaitersFull: new QuotaError({ reason: new WaitersFull({ account, waiting: 1_000 }) }),
  NeverFits: new QuotaError({ reason: new NeverFits({ account, window: "10 minutes", weight: 70, limit: 60 }) }),
  QuotaUnavailable: new QuotaError({ reason: new QuotaUnavailable({ message }) })
}

const storeError = (reason: MarketStoreError["reason"]) => new MarketStoreError({ reason })
export const market = {
  MarketStoreError: storeError(new StoreFull({ message })),
  StoreUnavailable: storeError(new StoreUnavailable({ message })),
  StoreFull: storeError(new StoreFull({ message })),
  StoreReadOnly: storeError(new StoreReadOnly({ message })),
  StoreSchemaMismatch: storeError(new StoreSchemaMismatch({ message })),
  InvalidRow: storeError(new InvalidRow({ index: 3, ts: 1_546_300_800_000, message })),
  InvalidCoverage: storeError(new InvalidCoverage({ message })),
  GenerationGone: storeError(new GenerationGone({ message }))
}

const cacheError = (reason: StitchingCacheError["reason"]) => new StitchingCacheError({ reason })
const miss = cacheError(
  new IngestSessionError({ reason: new CacheMiss({ source: "vendor", identity: "1".repeat(64) }) })
)
export const cache = {
  StitchingCacheError: cacheError(vendor.NotFound),
  RangeIncomplete: cacheError(
    new RangeIncomplete({
      holes: [{ start: 0, end: 60_000, state: { _tag: "Missing", cause: { tag: "NotFound", message } } }]
    })
  ),
  TooManyRows: cacheError(new TooManyRows({ rows: 11, limit: 10 })),
  NoSuchRow: cacheError(new NoSuchRow({ ts: 5, series: "v1/x" })),
  UnknownSeries: cacheError(new UnknownSeries({ series: "v1/x" })),
  CacheUnavailable: cacheError(new CacheUnavailable({ again: true, message })),
  IngestSessionError: miss,
  CacheMiss: miss
}

export const border = {
  ProtocolError: new ProtocolError({ code: "BadPayload", line: 3, id: "7", message }),
  TooBusy: new TooBusy({ limit: "calls", max: 64 }),
  InternalError: new InternalError({ incident: "7f3a" }),
  ShuttingDown: new ShuttingDown()
}
