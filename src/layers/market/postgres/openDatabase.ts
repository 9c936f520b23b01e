/** The database of a URL, with the settings of the environment. */
import { Effect, type Redacted, Result } from "effect"
import { MarketStoreError, StoreUnavailable } from "../../../services/MarketStore.ts"
import { addressOf } from "../../postgres/PostgresAddress.ts"
import { open } from "../../postgres/PostgresDatabase.ts"
import { PostgresSettings } from "../../postgres/PostgresSettings.ts"
import { tlsOf } from "../../postgres/tlsOf.ts"

const unavailable = (message: string) => new MarketStoreError({ reason: new StoreUnavailable({ message }) })

export const openDatabase = Effect.fnUntraced(function* (url: Redacted.Redacted, readonly: boolean) {
  const address = addressOf(url)
  if (Result.isFailure(address)) return yield* unavailable(address.failure.message)
  const { applicationName, max, min, statementTimeout } = yield* Effect.mapError(PostgresSettings, ({ message }) =>
    unavailable(`the settings of PostgreSQL in the environment: ${message}`)
  )
  return yield* open({
    url,
    address: address.success,
    tls: yield* Effect.mapError(tlsOf(address.success), ({ message }) => unavailable(message)),
    pool: { min: Math.min(min, max), max },
    statementTimeout,
    applicationName,
    readonly
  })
})
