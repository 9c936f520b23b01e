/** Upkeep of the store that a configuration names. */
import { Effect, FileSystem, Layer, Path, type Redacted, type Scope } from "effect"
import type { TenantName } from "../../../domain/Tenant.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { OwnerError } from "../../../services/Owner.ts"
import type { ProvenanceStoreError } from "../../../services/ProvenanceStore.ts"
import { ensureDirectory } from "../../ensureDirectory.ts"
import * as OwnerLock from "../../owner/OwnerLock.ts"
import type { StoreUpkeep } from "./StoreUpkeep.ts"
import { sqliteUpkeep } from "./sqliteUpkeep.ts"

export interface UpkeepOptions {
  readonly dataDir: string
  readonly store: Redacted.Redacted | null
  /** The release that runs, as others are told. */
  readonly product: string
  readonly readonly: boolean
  /** Whose series are told. */
  readonly tenant: TenantName
  /** Makes the data directory and the file where they are not there. */
  readonly create?: boolean
  /** Does not wait for the owner that the data directory may have; what is then changed must be nothing that an owner keeps in mind. */
  readonly besideOwner?: boolean
}

/** The driver of PostgreSQL is loaded when it is wanted, so that nobody else pays for it. */
const loadPostgres = Effect.promise(() => import("./postgresUpkeep.ts"))

/**
 * For as long as the scope lives; null where the data directory has no store yet. Who writes to the data directory is its owner
 * meanwhile, and waits for another one for a while.
 */
export const openUpkeep = Effect.fnUntraced(function* (
  options: UpkeepOptions
): Effect.fn.Return<
  StoreUpkeep | null,
  MarketStoreError | OwnerError | ProvenanceStoreError,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> {
  const { besideOwner = false, create = false, dataDir, product, readonly, store, tenant } = options
  if (store !== null) {
    const { postgresUpkeep } = yield* loadPostgres
    return yield* postgresUpkeep(store, readonly, tenant)
  }
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const filename = path.join(dataDir, "market.sqlite")
  if (!(yield* Effect.orElseSucceed(fs.exists(filename), () => false))) {
    if (!create) return null
    yield* ensureDirectory(dataDir)
  }
  const beside = besideOwner && (yield* OwnerLock.find(dataDir)) !== null
  if (!readonly && !beside) yield* Layer.build(OwnerLock.layer({ dataDir, product, patience: "10 seconds" }))
  return yield* sqliteUpkeep(filename, readonly, tenant)
})
