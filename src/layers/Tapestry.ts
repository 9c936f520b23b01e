/** The embedded composition: every service over one data directory, with the vendors of one configuration. */
import { Context, type Duration, Effect, type FileSystem, Layer, Path } from "effect"
import { defaultTenant, type TenantName } from "../domain/Tenant.ts"
import { AdapterRegistry, type AdapterRegistryError } from "../services/AdapterRegistry.ts"
import { Calendar } from "../services/Calendar.ts"
import { MarketStore, type MarketStoreError } from "../services/MarketStore.ts"
import { MarketStreams } from "../services/MarketStreams.ts"
import type { OpenTenants, TenantServices } from "../services/OpenTenants.ts"
import type { Owner, OwnerError } from "../services/Owner.ts"
import { ArchiveLost, ProvenanceStore, ProvenanceStoreError } from "../services/ProvenanceStore.ts"
import { Quota, type QuotaError } from "../services/Quota.ts"
import type { Recorder } from "../services/Recorder.ts"
import type { TenantJobs } from "../services/TenantJobs.ts"
import * as ConfiguredVendors from "./adapters/ConfiguredVendors.ts"
import { batchOptions, ofTenant } from "./batch/BatchConfig.ts"
import * as BatchProcessorLive from "./batch/BatchProcessorLive.ts"
import * as CalendarLive from "./calendar/CalendarLive.ts"
import type { TapestryConfig } from "./config/TapestryConfig.ts"
import { ensureDirectory } from "./ensureDirectory.ts"
import * as ImportsLive from "./imports/ImportsLive.ts"
import * as IngestSessionLive from "./ingest/IngestSessionLive.ts"
import * as BackfillJobs from "./jobs/backfill/BackfillJobs.ts"
import * as DeploymentJobs from "./jobs/deployment/DeploymentJobs.ts"
import * as JobDispatcher from "./jobs/JobDispatcher.ts"
import * as JobQueueLive from "./jobs/JobQueueLive.ts"
import * as ContractLookupsLive from "./lookups/ContractLookupsLive.ts"
import { OptionsPacing } from "./lookups/OptionsPacing.ts"
import * as MaintenanceLive from "./maintenance/MaintenanceLive.ts"
import * as ConfiguredStore from "./market/ConfiguredStore.ts"
import * as ControlPlaneLive from "./market/upkeep/ControlPlaneLive.ts"
import * as OrdersLive from "./orders/OrdersLive.ts"
import * as OwnerLock from "./owner/OwnerLock.ts"
import * as PreferredVendorsLive from "./preferred/PreferredVendorsLive.ts"
import * as ProvenanceStoreSqlite from "./provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "./quota/QuotaSqlite.ts"
import * as ReconcileOnArrival from "./reconcile/ReconcileOnArrival.ts"
import * as ReconciliationLive from "./reconcile/ReconciliationLive.ts"
import * as RecorderLive from "./recording/RecorderLive.ts"
import * as AdapterRegistryInMemory from "./registry/AdapterRegistryInMemory.ts"
import { DiskRoom, diskRoomOf } from "./stitching/DiskRoom.ts"
import { MaxAnswerRows } from "./stitching/MaxAnswerRows.ts"
import { ScratchStore, scratchIn } from "./stitching/ScratchStore.ts"
import * as StitchingCacheLive from "./stitching/StitchingCacheLive.ts"
import * as MarketStreamsLive from "./streams/MarketStreamsLive.ts"
import * as StreamRepairJobs from "./streams/StreamRepairJobs.ts"
import * as OpenTenantsLive from "./tenants/OpenTenantsLive.ts"
import * as TenantJobsLive from "./tenants/TenantJobsLive.ts"

export interface TapestryOptions {
  /**
   * Holds provenance.sqlite, responses/, quota.sqlite, workflows.sqlite, the owner's lock, and market.sqlite unless the configuration names another store;
   * made when it is not there.
   */
  readonly dataDir: string
  readonly config: TapestryConfig
  /** The release that owns the directory, as others are told who find it owned; `embedded` unless given. */
  readonly product?: string
  /** How long to wait for an owner that is there already; not at all unless given. */
  readonly patience?: Duration.Input
  /** Whether the archive is synced beside the event loop (ProvenanceStoreOptions): for a server of many at once. Not unless given. */
  readonly syncBeside?: boolean
}

export type TapestryServices = TenantServices

/** Refuses a market store whose rows came from another archive: their lineage would name the wrong answers. */
const sameArchive = (dataDir: string, store: string | undefined) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const archive = yield* ProvenanceStore
      const market = yield* MarketStore
      const referred = yield* market.newestResponse
      if (referred === null) return
      const [place, away] =
        store === undefined ? [`in ${dataDir}`, "move market.sqlite away"] : [store, "name another database"]
      const lost = (why: string) =>
        new ProvenanceStoreError({ reason: new ArchiveLost({ message: `the market store ${place} ${why}` }) })
      const [newest] = yield* archive.responses({ limit: 1 })
      if (newest === undefined || newest.id < referred) {
        return yield* lost(
          `refers to response ${referred}, and the archive ${store === undefined ? "there" : `in ${dataDir}`} ends at ${newest?.id ?? 0}: it was lost or replaced. Put provenance.sqlite and responses/ back from a copy, or ${away} to begin anew`
        )
      }
      for (const { fetchedAt, response } of yield* market.witnesses) {
        // Listed and not read: what was given out is kept by the next gc. One that a gc has removed says nothing.
        const [here] = yield* archive.responses({ before: response + 1, limit: 1 })
        if (here?.id !== response || here.fetchedAt === fetchedAt) continue
        const at = (instant: number) => new Date(instant).toISOString()
        return yield* lost(
          `has rows of a response ${response} that was fetched at ${at(fetchedAt)}, and that of the archive in ${dataDir} was fetched at ${at(here.fetchedAt)}: the rows came from another archive, with which they stay right. Use its data directory, or ${away}`
        )
      }
    })
  )

/** What tenants do not share has a name of its own; no name of a tenant has a dot in it. */
const namesOf = (tenant: TenantName) =>
  tenant === defaultTenant.name
    ? { deadLetters: "dead-letters.ndjson", workflows: "workflows.sqlite", batches: "batch", scratch: "" }
    : {
        deadLetters: `dead-letters.${tenant}.ndjson`,
        workflows: `workflows.${tenant}.sqlite`,
        batches: `batch.${tenant}`,
        scratch: `${tenant}.`
      }

type OpenError =
  | ProvenanceStoreError
  | MarketStoreError
  | QuotaError
  | AdapterRegistryError
  | ConfiguredVendors.ConfiguredVendorsError

/** What a process has once, whoever it works for. */
type SharedServices = AdapterRegistry | Calendar | Quota | ConfiguredStore.MarketStores | JobDispatcher.JobDispatcher

const sharedOver = ({ config, dataDir }: TapestryOptions, readonly: boolean) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const path = yield* Path.Path
      return Layer.mergeAll(
        ConfiguredStore.stores({ store: config.store, filename: path.join(dataDir, "market.sqlite"), readonly }),
        // Who may only read spends nothing, so there is nothing to write down.
        QuotaSqlite.layer({ filename: readonly ? ":memory:" : path.join(dataDir, "quota.sqlite") }),
        ConfiguredVendors.layer(config).pipe(Layer.provideMerge(AdapterRegistryInMemory.layer)),
        CalendarLive.layerWith(config.calendars),
        JobDispatcher.layer
      )
    })
  )

type ForAll = AdapterRegistry | Calendar | Quota | MarketStreams

/** What all tenants share, from wherever it is at hand. */
const shared: Layer.Layer<ForAll, never, ForAll> = Layer.effectContext(
  Effect.map(Effect.context<ForAll>(), Context.pick(AdapterRegistry, Calendar, Quota, MarketStreams))
)

/** What a tenant has for itself. */
const tenantOver = (
  { config, dataDir, syncBeside = false }: TapestryOptions,
  readonly: boolean,
  tenant: TenantName
): Layer.Layer<
  Exclude<TenantServices, SharedServices | MarketStreams | Recorder>,
  ProvenanceStoreError | MarketStoreError,
  SharedServices | FileSystem.FileSystem | Path.Path
> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const path = yield* Path.Path
      const names = namesOf(tenant)
      const filename = path.join(dataDir, "market.sqlite")
      const opened = Layer.mergeAll(
        ProvenanceStoreSqlite.layer({ directory: dataDir, readonly, syncBeside, tenant, ...config.archive }),
        ConfiguredStore.ofTenant(tenant),
        ControlPlaneLive.layer({ store: config.store, filename, readonly, tenant })
      )
      const stores = Layer.provideMerge(sameArchive(dataDir, ConfiguredStore.storeName(config.store)), opened)
      // Who may only read has no arrivals.
      const arrivals = readonly || config.reconcile.length === 0 ? [] : config.reconcile
      const batches = BatchProcessorLive.layer({
        ...batchOptions(config.batch),
        name: names.batches,
        deadLetters:
          config.batch.deadLetters === null
            ? path.join(dataDir, names.deadLetters)
            : ofTenant(config.batch.deadLetters, tenant === defaultTenant.name ? null : tenant, path)
      }).pipe(
        Layer.provideMerge(
          Layer.provide(
            ImportsLive.layer,
            Layer.succeed(ScratchStore, scratchIn(dataDir, `${names.scratch}imports-check-`))
          )
        )
      )
      const jobs = JobQueueLive.layerOf({ workflows: readonly ? null : path.join(dataDir, names.workflows) })
      return Layer.mergeAll(
        ReconciliationLive.layer,
        PreferredVendorsLive.layer,
        BackfillJobs.layer,
        DeploymentJobs.layer,
        StreamRepairJobs.layer,
        ContractLookupsLive.layer,
        OrdersLive.layer
      ).pipe(
        Layer.provideMerge(jobs),
        Layer.provideMerge(StitchingCacheLive.layer),
        Layer.provide(Layer.succeed(OptionsPacing, config.options)),
        Layer.provide(Layer.succeed(MaxAnswerRows, config.maxRows)),
        Layer.provide(Layer.succeed(DiskRoom, diskRoomOf(dataDir, config.minFree))),
        Layer.provide(Layer.succeed(ScratchStore, scratchIn(dataDir, `${names.scratch}market-check-`))),
        Layer.provideMerge(IngestSessionLive.layer),
        Layer.merge(Layer.merge(MaintenanceLive.layer, batches)),
        Layer.provideMerge(ReconcileOnArrival.layer(arrivals)),
        Layer.provideMerge(stores)
      )
    })
  )

/**
 * What the process has for the tenant that it was started for. Its live streams are those of all tenants, so that a vendor is asked for each once;
 * what is fetched for their gaps is archived and stored as this tenant's.
 */
const ownOver = (options: TapestryOptions, readonly: boolean) =>
  RecorderLive.layer.pipe(
    Layer.provideMerge(MarketStreamsLive.layer()),
    Layer.provideMerge(tenantOver(options, readonly, options.config.tenant))
  )

/**
 * All services over `dataDir`, as its owner: the lock is taken before anything is opened, and let go of when all is closed. Fails
 * with OwnerError when the directory has an owner or cannot be locked, else with the error of the store that could not be opened.
 */
export const layer = (
  options: TapestryOptions
): Layer.Layer<
  TapestryServices | OpenTenants | TenantJobs | Owner,
  OwnerError | OpenError,
  FileSystem.FileSystem | Path.Path
> => {
  const { config, dataDir, patience, product = "embedded" } = options
  const { tenant } = config
  const store = ConfiguredStore.storeName(config.store)
  const lock = OwnerLock.layer({
    dataDir,
    product,
    ...(store === undefined ? {} : { store }),
    ...(tenant === defaultTenant.name ? {} : { tenant }),
    ...(patience === undefined ? {} : { patience })
  })
  const tenants = OpenTenantsLive.layer({
    own: tenant,
    servicesOf: (other) =>
      RecorderLive.layer.pipe(Layer.provideMerge(Layer.merge(tenantOver(options, false, other), shared)))
  })
  return TenantJobsLive.layer.pipe(
    Layer.provideMerge(tenants),
    Layer.provideMerge(ownOver(options, false)),
    Layer.provideMerge(sharedOver(options, false)),
    Layer.provideMerge(lock),
    Layer.provide(Layer.effectDiscard(ensureDirectory(dataDir)))
  )
}

/**
 * All services over what is stored in `dataDir`, which must exist: beside an owner or without one. Nothing is written, and what
 * would have to be is refused.
 */
export const layerReadonly = (
  options: Pick<TapestryOptions, "dataDir" | "config">
): Layer.Layer<TapestryServices, OpenError, FileSystem.FileSystem | Path.Path> =>
  Layer.provideMerge(ownOver(options, true), sharedOver(options, true))
