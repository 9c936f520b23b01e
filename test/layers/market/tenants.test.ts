import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { TenantName } from "../../../src/domain/Tenant.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import { sqliteUpkeep } from "../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import { tenantMatrix } from "../../services/tenants/matrix.ts"
import { acme, bolt } from "../../support/tenants.ts"

/** Over one pair of connections to the file, as a server that works for both has it. */
const pair = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-tenants-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  const filename = join(directory, "market.sqlite")
  const stores = yield* MarketStoreSqlite.open({ filename })
  const { tenants } = yield* sqliteUpkeep(filename, false)
  const storesOf = (tenant: TenantName) => Effect.andThen(tenants.add(tenant), stores.of(tenant))
  return [yield* storesOf(acme.name), yield* storesOf(bolt.name)] as const
})

tenantMatrix("SQLite", Effect.orDie(pair))
