/** What PostgreSQL says, as the store's own errors. */
import { Effect } from "effect"
import {
  MarketStoreError,
  StoreFull,
  StoreReadOnly,
  StoreSchemaMismatch,
  StoreUnavailable
} from "../../../services/MarketStore.ts"
import type { SchemaMismatch } from "../../postgres/migrate.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"

/** What to do about a failure that has no reason of its own; by SQLSTATE class, by the network's code, else nothing. */
const remedyOf = ({ address, network, sqlState }: PostgresFailure): string => {
  if (sqlState === null) {
    return network === "ENOTFOUND" || network === "EAI_AGAIN"
      ? "check the host's name"
      : `check that PostgreSQL runs there and can be reached (pg_isready), and that DATABASE_URL or --store names the right host and port; nothing was lost, the archive has every answer`
  }
  if (sqlState.startsWith("28"))
    return "check the user and the password in DATABASE_URL or --store, and pg_hba.conf of the server"
  if (sqlState === "3D000")
    return `make the database first (createdb ${address.slice(address.indexOf("/") + 1)}), or name another`
  if (sqlState === "42501") return "give this user the right; the first start needs CREATE on the database"
  if (sqlState === "57014") return "it took longer than the statement timeout allows (TAPESTRY_PG_STATEMENT_TIMEOUT)"
  if (sqlState === "53300")
    return "the server has no connection left; give it more, or this process a smaller pool (TAPESTRY_PG_POOL_MAX)"
  if (sqlState.startsWith("57P")) return "the server was stopped or is starting; try again when it runs"
  return "try again"
}

const reasonOf = (error: PostgresFailure | SchemaMismatch): MarketStoreError["reason"] => {
  const { message } = error
  if (error._tag === "SchemaMismatch") return new StoreSchemaMismatch({ message })
  switch (error.sqlState) {
    case "53100":
      return new StoreFull({
        message: `${message}; free some space on the server and try again, what was committed is kept`
      })
    case "25006":
      return new StoreReadOnly({ message: `${message}; this process, or the server (a standby?), only reads` })
    default:
      return new StoreUnavailable({ message: `${message}; ${remedyOf(error)}` })
  }
}

const fromPostgres = (error: PostgresFailure | SchemaMismatch | MarketStoreError): MarketStoreError =>
  error._tag === "MarketStoreError" ? error : new MarketStoreError({ reason: reasonOf(error) })

/** Turns what the database says into the store's own error; the store's own pass through. */
export const mapStoreFailure = Effect.mapError(fromPostgres)
