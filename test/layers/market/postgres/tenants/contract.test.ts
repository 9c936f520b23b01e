import { Effect, Layer, Redacted } from "effect"
import * as MarketStorePostgres from "../../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { apiConfigContract } from "../../../../services/ApiConfig.contract.ts"
import { marketStoreContract } from "../../../../services/MarketStore.contract.ts"
import { recordStoreContract } from "../../../../services/RecordStore.contract.ts"
import { freshDatabase } from "../../../../support/postgres.ts"
import { acme, withTenants, workerIn } from "../../../../support/tenants.ts"

/** A tenant that is not the default one, and a user who has no right on any table. */
const empty = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* freshDatabase
    yield* withTenants(url)
    return MarketStorePostgres.layer({ url: Redacted.make(yield* workerIn(url)), tenant: acme.name })
  })
)

marketStoreContract("PostgreSQL, a tenant's user", empty)
recordStoreContract("PostgreSQL, a tenant's user", empty)
apiConfigContract("PostgreSQL, a tenant's user", empty)
