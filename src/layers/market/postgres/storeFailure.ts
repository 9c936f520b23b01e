/** What PostgreSQL says, as the store's own errors. */
import { Effect } from "effect"
import {
  MarketStoreError,
  StoreConstraintViolation,
  StoreFull,
  StoreReadOnly,
  StoreRetryable,
  StoreSchemaMismatch,
  StoreTenantDenied,
  StoreTimeout,
  StoreUnavailable
} from "../../../services/MarketStore.ts"
import type { SchemaMismatch } from "../../postgres/migrate.ts"
import { isContention, isPassing, type PostgresFailure } from "../../postgres/PostgresFailure.ts"

/** Node's and OpenSSL's codes: ERR_TLS_CERT_ALTNAME_INVALID, DEPTH_ZERO_SELF_SIGNED_CERT, UNABLE_TO_VERIFY_LEAF_SIGNATURE, CERT_HAS_EXPIRED. */
const isCertificateProblem = (code: string): boolean => /CERT|SIGNATURE/.test(code)

/** What to do about a failure that has no reason of its own; by SQLSTATE class, by the network's code, else nothing. */
const remedyOf = ({ address, message, network, sqlState, uncertain }: PostgresFailure): string => {
  if (uncertain) {
    return "the answer to COMMIT was lost, so it may be stored, whole, or not at all; run the same again, which stores nothing twice"
  }
  if (sqlState === null) {
    if (network !== null && isCertificateProblem(network)) {
      return "the server's certificate is not one to be trusted here: name the file with the certificate of the authority that signed it in the URL (sslrootcert=FILE), and the host as the certificate has it (or sslmode=verify-ca)"
    }
    if (message.includes("does not support TLS")) {
      return "turn TLS on in the server (ssl = on), or ask for none in the URL (sslmode=disable)"
    }
    return network === "ENOTFOUND" || network === "EAI_AGAIN"
      ? "check the host's name"
      : `check that PostgreSQL runs there and can be reached (pg_isready), and that DATABASE_URL or --store names the right host and port; nothing was lost, the archive has every answer`
  }
  if (sqlState.startsWith("28"))
    return "check the user and the password in DATABASE_URL or --store, and pg_hba.conf of the server"
  if (sqlState === "3D000")
    return `make the database first (createdb ${address.slice(address.indexOf("/") + 1)}), or name another`
  return "try again"
}

/** What may be had in a moment. It was tried again until now. */
const patienceOf = (error: PostgresFailure): string => {
  if (isContention(error))
    return "other transactions were in its way again and again; nothing of it is stored, try again"
  switch (error.sqlState) {
    case "53300":
      return "the server has no connection left; give it more, or this process a smaller pool (TAPESTRY_PG_POOL_MAX)"
    case null:
      return "the connection broke again and again; nothing of it is stored, try again"
    default:
      return "the server was stopped, is starting, or cut the connection off; nothing of it is stored, try again when it runs"
  }
}

const deniedRemedy =
  "give this user of the database the right (GRANT; who only works in it is a member of tapestry_app); the first start, and a migration, need CREATE on the database"
const foreignRemedy = "nothing of it is stored: rows are written for the tenant that one works for, and for no other"
const timeouts: Readonly<Record<string, string>> = {
  "57014": "it took longer than TAPESTRY_PG_STATEMENT_TIMEOUT allows, or was cancelled on the server",
  "55P03":
    "another session holds a lock that it needs: pg_stat_activity and pg_locks show whose; try again when it is done",
  "25P03": "its transaction was idle for longer than the server allows (idle_in_transaction_session_timeout)",
  "25P04": "its transaction took longer than the server allows (transaction_timeout)"
}

/** Of a commit, `index` is where among its bars the row is that was refused. */
export const constraintViolation = (failure: PostgresFailure, index: number | null): MarketStoreError => {
  const { constraint, message, table, ts } = failure
  const where = `${table === null ? "" : ` of table ${table}`}${ts === null ? "" : ` (stamp ${new Date(ts).toISOString()})`}`
  const which = constraint === null ? `a constraint${where}` : `the constraint ${constraint}${where}`
  return new MarketStoreError({
    reason: new StoreConstraintViolation({
      constraint,
      index,
      ts,
      message: `${message}; ${which} refuses it: correct the row, or drop the constraint if it is wrong; nothing of the commit is stored`
    })
  })
}

export const isViolation = ({ sqlState }: PostgresFailure): boolean => sqlState?.startsWith("23") === true

const reasonOf = (error: PostgresFailure): MarketStoreError["reason"] => {
  const { message, sqlState } = error
  if (error.uncertain) return new StoreUnavailable({ message: `${message}; ${remedyOf(error)}` })
  if (isContention(error) || isPassing(error))
    return new StoreRetryable({ message: `${message}; ${patienceOf(error)}` })
  const timeout = sqlState === null ? undefined : timeouts[sqlState]
  if (timeout !== undefined) return new StoreTimeout({ message: `${message}; ${timeout}` })
  switch (sqlState) {
    case "42501":
      return new StoreTenantDenied({ message: `${message}; ${deniedRemedy}` })
    // A view that shows one tenant's rows refuses those of another.
    case "44000":
      return new StoreTenantDenied({ message: `${message}; ${foreignRemedy}` })
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

export const fromPostgres = (error: PostgresFailure | SchemaMismatch | MarketStoreError): MarketStoreError => {
  if (error._tag === "MarketStoreError") return error
  if (error._tag === "SchemaMismatch") {
    return new MarketStoreError({ reason: new StoreSchemaMismatch({ message: error.message }) })
  }
  return isViolation(error) ? constraintViolation(error, null) : new MarketStoreError({ reason: reasonOf(error) })
}

/** Turns what the database says into the store's own error; the store's own pass through. */
export const mapStoreFailure = Effect.mapError(fromPostgres)
