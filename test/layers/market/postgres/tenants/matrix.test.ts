import { Effect, Redacted } from "effect"
import * as MarketStorePostgres from "../../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { tenantMatrix } from "../../../../services/tenants/matrix.ts"
import { freshDatabase } from "../../../../support/postgres.ts"
import { acme, bolt, withTenants, workerIn } from "../../../../support/tenants.ts"

/** Over one pool, of a user who may do no more than work in the database. */
const pair = Effect.gen(function* () {
  const url = yield* freshDatabase
  yield* withTenants(url)
  const stores = yield* MarketStorePostgres.open({ url: Redacted.make(yield* workerIn(url)) })
  return [yield* stores.of(acme.name), yield* stores.of(bolt.name)] as const
})

tenantMatrix("PostgreSQL", Effect.orDie(pair))
