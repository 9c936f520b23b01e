import { join } from "node:path"
import { Effect, Redacted } from "effect"
import { sqliteUpkeep } from "../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import { freshDatabase } from "../../support/postgres.ts"
import { acme, bolt, withTenants, workerIn } from "../../support/tenants.ts"
import { World } from "../handlers/world.ts"
import { tenantMatrix } from "./matrix.ts"

tenantMatrix("SQLite", {
  config: Effect.succeed({}),
  addTenants: Effect.gen(function* () {
    const { dataDir } = yield* World
    const { tenants } = yield* sqliteUpkeep(join(dataDir, "market.sqlite"), false)
    yield* tenants.add(acme.name)
    yield* tenants.add(bolt.name)
  })
})

/** Of a user who may do no more than work in the database. */
const database = Effect.gen(function* () {
  const url = yield* freshDatabase
  yield* withTenants(url)
  return { store: Redacted.make(yield* workerIn(url)) }
})

tenantMatrix("PostgreSQL", { config: database, addTenants: Effect.void })
