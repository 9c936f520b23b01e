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
  /** The table whose constraint it was, if the server names it. */
  readonly table: string | null
  /** Epoch milliseconds of the stamp of the row that a constraint refused, where the server shows the row or its key. */
  readonly ts: number | null
  /** True where a connection was there, and broke; false where none could be had, or the server answered. */
  readonly broke: boolean
  /** True where COMMIT was sent and its answer never came: the transaction may be there, whole, or not at all. */
  readonly uncertain: boolean
  readonly message: string
}> {}

const textOf = (of: unknown, key: string): string | null =>
  Predicate.hasProperty(of, key) && typeof of[key] === "string" ? of[key] : null

/** What lies at the bottom of the errors that the driver and the client put around it. */
const rootOf = (error: unknown): unknown => {
  if (error instanceof PostgresFailure || textOf(error, "severity") !== null) return error
  // An error of TLS has a reason, too: a text.
  if (Predicate.hasProperty(error, "reason") && typeof error.reason !== "string") return rootOf(error.reason)
  return Predicate.hasProperty(error, "cause") && error.cause !== undefined ? rootOf(error.cause) : error
}

/** What the driver was doing: `connect`, `query`, ... */
const stepOf = (error: unknown): string | null =>
  Predicate.hasProperty(error, "reason") ? textOf(error.reason, "operation") : null

const isLost = (error: unknown): boolean =>
  Predicate.hasProperty(error, "reason") &&
  Predicate.hasProperty(error.reason, "_tag") &&
  error.reason._tag === "ConnectionError"

const sqlStatePattern = /^[0-9A-Z]{5}$/

/** The server tells the session that it ends: it is shut down, or the session was idle, or its transaction open, for too long. */
const endsSession = (code: string): boolean => code.startsWith("57P") || code === "25P03" || code === "25P04"

/** `Key (generation, ts)=(1, 2019-01-01 00:00:00+00) already exists.`: our sessions are in UTC. Years of more digits are left out. */
const stampPattern = /(?<!\d)(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)\+00(?! BC)/

const stampIn = (detail: string | null): number | null => {
  const [, date, time] = stampPattern.exec(detail ?? "") ?? []
  return date === undefined || time === undefined ? null : Date.parse(`${date}T${time}Z`)
}

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
    const ended = fromServer && code !== null && endsSession(code)
    return new PostgresFailure({
      broke: ended || (!fromServer && stepOf(error) === "query" && isLost(error)),
      uncertain: false,
      address,
      operation,
      sqlState: fromServer && code !== null && sqlStatePattern.test(code) ? code : null,
      constraint: fromServer ? textOf(root, "constraint") : null,
      table: fromServer ? textOf(root, "table") : null,
      ts: fromServer && code?.startsWith("23") === true ? stampIn(textOf(root, "detail")) : null,
      network: fromServer ? null : code,
      message: `${operation} on ${address}: ${detail === "" ? (code ?? "the connection failed") : detail}`
    })
  }

/** The transaction may be run again: it was in another one's way. */
export const isContention = ({ sqlState }: PostgresFailure): boolean => sqlState === "40001" || sqlState === "40P01"

/** What a statement gives was changed, by a migration say, since this connection prepared it; the next time it is prepared anew. */
export const isStalePlan = ({ message, sqlState }: PostgresFailure): boolean =>
  sqlState === "26000" || (sqlState === "0A000" && message.includes("cached plan"))

/** No connection left (53300); the server is stopped or starting (57P01 to 57P03), or has ended an idle session. */
const passing = new Set(["53300", "57P01", "57P02", "57P03", "57P05"])

/**
 * It may be had in a moment, and nothing of it was done: the connection broke, or the server will be there again. A server that nobody
 * reaches at all is none of these: nothing says that it comes back.
 */
export const isPassing = ({ broke, sqlState, uncertain }: PostgresFailure): boolean =>
  !uncertain && (sqlState === null ? broke : passing.has(sqlState) || sqlState.startsWith("08"))

/** What COMMIT failed with. Only an answer of a server that goes on says that nothing was committed. */
export const atCommit = (failure: PostgresFailure): PostgresFailure => {
  const { address, broke, constraint, message, network, operation, sqlState, table, ts } = failure
  const uncertain = sqlState === null || broke || sqlState.startsWith("08")
  return new PostgresFailure({
    address,
    broke,
    constraint,
    message,
    network,
    operation,
    sqlState,
    table,
    ts,
    uncertain
  })
}
