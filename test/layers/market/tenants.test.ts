import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer } from "effect"
import type { TenantName } from "../../../src/domain/Tenant.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import { sqliteUpkeep } from "../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import { tenantMatrix } from "../../services/tenants/matrix.ts"
import { acme, bolt } from "../../support/tenants.ts"

/** Each has connections of its own to the file, as a server that works for both has. */
const pair = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-tenants-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  const filename = join(directory, "market.sqlite")
  yield* Effect.scoped(Layer.build(Layer.fresh(MarketStoreSqlite.layer({ filename }))))
  const { tenants } = yield* sqliteUpkeep(filename, false)
  const storesOf = (tenant: TenantName) =>
    Effect.andThen(tenants.add(tenant), Layer.build(Layer.fresh(MarketStoreSqlite.layer({ filename, tenant }))))
  return [yield* storesOf(acme.name), yield* storesOf(bolt.name)] as const
})

tenantMatrix("SQLite", Effect.orDie(pair))
