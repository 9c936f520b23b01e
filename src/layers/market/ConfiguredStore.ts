/** The market store that a configuration names: a PostgreSQL database, or market.sqlite in the data directory. */
import { Context, Effect, Layer, type Redacted, Result } from "effect"
import { defaultTenant, type TenantName } from "../../domain/Tenant.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { ApiConfig } from "../../services/ApiConfig.ts"
import type { JobLedger } from "../../services/JobLedger.ts"
import type { MarketStore, MarketStoreError } from "../../services/MarketStore.ts"
import type { RecordStore } from "../../services/RecordStore.ts"
import { addressOf, showAddress } from "../postgres/PostgresAddress.ts"
import * as MarketStoreSqlite from "./MarketStoreSqlite.ts"

export interface ConfiguredStore {
  /** URL of a PostgreSQL database; null for the file. */
  readonly store: Redacted.Redacted | null
  readonly filename: string
  readonly readonly: boolean
  /** The default tenant unless given. */
  readonly tenant?: TenantName
}

/** How a store is named where people read it, and told from another: `host:port/database`; undefined for the file. */
export const storeName = (store: Redacted.Redacted | null): string | undefined =>
  store === null
    ? undefined
    : Result.match(addressOf(store), { onSuccess: showAddress, onFailure: () => "a database whose URL cannot be read" })

/** The driver of PostgreSQL is loaded when it is wanted, so that nobody else pays for it. */
const loadPostgres = Effect.promise(() => import("./postgres/MarketStorePostgres.ts"))

/** The open store of all tenants: what each has in it, over the same connections. */
export class MarketStores extends Context.Service<
  MarketStores,
  {
    /** Fails with StoreTenantDenied for one that the store does not know. */
    readonly of: (
      tenant: TenantName
    ) => Effect.Effect<Context.Context<MarketStore | RecordStore | JobLedger | ApiConfig>, MarketStoreError>
    /** The tenants that have jobs under way, or due by then: of those the first so many, by the job that each would begin. */
    readonly atWork: (now: EpochMillis, most: number) => Effect.Effect<ReadonlyArray<string>, MarketStoreError>
  }
>()("tapestry/MarketStores") {}

export const stores = ({
  filename,
  readonly,
  store
}: Omit<ConfiguredStore, "tenant">): Layer.Layer<MarketStores, MarketStoreError> =>
  Layer.effect(
    MarketStores,
    store === null
      ? MarketStoreSqlite.open({ filename, readonly })
      : Effect.flatMap(loadPostgres, (postgres) => postgres.open({ url: store, readonly }))
  )

/** What one tenant has in the store that is open. */
export const ofTenant = (
  tenant: TenantName
): Layer.Layer<MarketStore | RecordStore | JobLedger | ApiConfig, MarketStoreError, MarketStores> =>
  Layer.effectContext(MarketStores.use((stores) => stores.of(tenant)))

export const layer = ({
  tenant = defaultTenant.name,
  ...options
}: ConfiguredStore): Layer.Layer<MarketStore | RecordStore | JobLedger | ApiConfig, MarketStoreError> =>
  Layer.provide(ofTenant(tenant), stores(options))
