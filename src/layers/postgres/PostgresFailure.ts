/** What PostgreSQL, or the way to it, said when a statement failed, with its SQLSTATE and no secret. */
import { Data, Predicate } from "effect"
import type { Migrator, SqlError } from "effect/sql"

export class PostgresFailure extends Data.TaggedError("PostgresFailure")<{
  /** `host:port/database`; never a user's name or password. */
  readonly address: string
  readonly operation: string
  /** Five characters; null where no server answered. */
  readonly sqlState: string | null
  /** The constraint that was violated, if one was. */
  readonly constraint: string | null
  /** Node's code of a connection that failed (`ECONNREFUSED`, ...); null for everything else. */
  readonly network: string | null
  /** True where a connection was there, and broke; false where none could be had, or the server answered. */
  readonly broke: boolean
  readonly message: string
}> {}

const textOf = (of: unknown, key: string): string | null =>
  Predicate.hasProperty(of, key) && typeof of[key] === "string" ? of[key] : null

/** What lies at the bottom of the errors that the driver and the client put around it. */
const rootOf = (error: unknown): unknown => {
  if (error instanceof PostgresFailure || textOf(error, "severity") !== null) return error
  if (Predicate.hasProperty(error, "reason")) return rootOf(error.reason)
  return Predicate.hasProperty(error, "cause") && error.cause !== undefined ? rootOf(error.cause) : error
}

/** What the driver was doing: `connect`, `query`, ... */
const stepOf = (error: unknown): string | null =>
  Predicate.hasProperty(error, "reason") ? textOf(error.reason, "operation") : null

const sqlStatePattern = /^[0-9A-Z]{5}$/

/** `FATAL`, `ERROR` and `PANIC` are the server's; without a severity it is the driver or the network that speaks. */
export const failureOf =
  (address: string, operation: string) =>
  (error: SqlError.SqlError | Migrator.MigrationError): PostgresFailure => {
    const root = rootOf(error)
    if (root instanceof PostgresFailure) return root
    const code = textOf(root, "code")
    const fromServer = textOf(root, "severity") !== null
    const detail = root instanceof Error && root.message !== "" ? root.message : error.message
    // Those who are told that their session ends were told in time, but the session is as good as broken.
    const ended = fromServer && code?.startsWith("57P") === true
    return new PostgresFailure({
      broke: ended || (!fromServer && stepOf(error) === "query"),
      address,
      operation,
      sqlState: fromServer && code !== null && sqlStatePattern.test(code) ? code : null,
      constraint: fromServer ? textOf(root, "constraint") : null,
      network: fromServer ? null : code,
      message: `${operation} on ${address}: ${detail === "" ? (code ?? "the connection failed") : detail}`
    })
  }

/** The transaction may be run again: it was in another one's way. */
export const isContention = ({ sqlState }: PostgresFailure): boolean => sqlState === "40001" || sqlState === "40P01"
