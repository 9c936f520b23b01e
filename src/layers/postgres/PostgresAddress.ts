/** Where a PostgreSQL is and how it is reached, taken from its URL; what messages and logs may show. */
import { userInfo } from "node:os"
import { Data, Redacted, Result } from "effect"

export interface PostgresAddress {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly sslMode: SslMode
  /** File with the certificates of the authorities that may have signed the server's; null: those that Node trusts. */
  readonly sslRootCert: string | null
}

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const
export type SslMode = (typeof sslModes)[number]

/** The URL is not one; `message` does not repeat it, it may hold a password. */
export class InvalidPostgresUrl extends Data.TaggedError("InvalidPostgresUrl")<{ readonly message: string }> {}

const example = "postgres://user:password@host:5432/database"

const decoded = (text: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(text)),
    () => text
  )

const isPostgres = (protocol: string) => protocol === "postgres:" || protocol === "postgresql:"

const invalid = (message: string) => Result.fail(new InvalidPostgresUrl({ message }))

const isSslMode = (text: string): text is SslMode => sslModes.some((mode) => mode === text)

/** As libpq does: who names no user is called as the operating system calls him, who may have no name there (in a container). */
const userOfSystem = (): string | null =>
  Result.getOrElse(
    Result.try(() => userInfo().username),
    () => null
  )

const checksCertificate = (mode: SslMode) => mode === "require" || mode === "verify-ca" || mode === "verify-full"

export const addressOf = (url: Redacted.Redacted): Result.Result<PostgresAddress, InvalidPostgresUrl> => {
  const parsed = URL.parse(Redacted.value(url))
  if (parsed === null) return invalid(`the store is given by a URL that is none; expected ${example}`)
  if (!isPostgres(parsed.protocol)) {
    return invalid(`the store's URL begins with ${parsed.protocol}; expected ${example}`)
  }
  const { hostname, pathname, searchParams, username } = parsed
  const user = searchParams.get("user") ?? (username === "" ? userOfSystem() : decoded(username))
  if (user === null || user === "") {
    return invalid(
      `the store's URL names no user, and the user of this process has no name; put one into it: ${example}`
    )
  }
  const port = Number(searchParams.get("port") ?? (parsed.port === "" ? "5432" : parsed.port))
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    return invalid("the port in the store's URL is none; expected 1 to 65535")
  }
  const sslMode = searchParams.get("sslmode") ?? "disable"
  if (!isSslMode(sslMode)) return invalid(`sslmode in the store's URL: expected one of ${sslModes.join(", ")}`)
  const sslRootCert = searchParams.get("sslrootcert")
  if (sslRootCert !== null && !checksCertificate(sslMode)) {
    return invalid("sslrootcert in the store's URL says whom to trust, so it needs sslmode=verify-full beside it")
  }
  for (const name of ["sslcert", "sslkey", "sslcrl"]) {
    if (searchParams.has(name)) return invalid(`${name} in the store's URL is not supported; leave it out`)
  }
  const timeout = Number(searchParams.get("connect_timeout") ?? 0)
  if (!Number.isInteger(timeout) || timeout < 0) {
    return invalid("connect_timeout in the store's URL: expected whole seconds, 0 for no limit")
  }
  return Result.succeed({
    host: searchParams.get("host") ?? (hostname === "" ? "localhost" : decoded(hostname)),
    port,
    // As libpq does: without a name the database is called as the user is.
    database: searchParams.get("dbname") ?? (pathname.length > 1 ? decoded(pathname.slice(1)) : user),
    user,
    sslMode,
    sslRootCert: sslRootCert === "system" ? null : sslRootCert
  })
}

export const showAddress = ({ database, host, port }: Pick<PostgresAddress, "database" | "host" | "port">): string =>
  `${host}:${port}/${database}`
