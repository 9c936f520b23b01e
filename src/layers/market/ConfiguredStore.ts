/** The market store that a configuration names: a PostgreSQL database, or market.sqlite in the data directory. */
import { Effect, Layer, type Redacted, Result } from "effect"
import { defaultTenant, type TenantName } from "../../domain/Tenant.ts"
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

export const layer = ({ filename, readonly, store, tenant = defaultTenant.name }: ConfiguredStore) =>
  store === null
    ? MarketStoreSqlite.layer({ filename, readonly, tenant })
    : Layer.unwrap(Effect.map(loadPostgres, (postgres) => postgres.layer({ url: store, readonly, tenant })))
