/** Where a PostgreSQL is, taken from its URL; what messages and logs may show. */
import { Data, Redacted, Result } from "effect"

export interface PostgresAddress {
  readonly host: string
  readonly port: number
  readonly database: string
}

/** The URL is not one; `message` does not repeat it, it may hold a password. */
export class InvalidPostgresUrl extends Data.TaggedError("InvalidPostgresUrl")<{ readonly message: string }> {}

const example = "postgres://user:password@host:5432/database"

const decoded = (text: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(text)),
    () => text
  )

const isPostgres = (protocol: string) => protocol === "postgres:" || protocol === "postgresql:"

export const addressOf = (url: Redacted.Redacted): Result.Result<PostgresAddress, InvalidPostgresUrl> => {
  const parsed = URL.parse(Redacted.value(url))
  if (parsed === null) {
    return Result.fail(
      new InvalidPostgresUrl({ message: `the store is given by a URL that is none; expected ${example}` })
    )
  }
  if (!isPostgres(parsed.protocol)) {
    return Result.fail(
      new InvalidPostgresUrl({ message: `the store's URL begins with ${parsed.protocol}; expected ${example}` })
    )
  }
  const { hostname, pathname, port, searchParams, username } = parsed
  const user = decoded(username)
  return Result.succeed({
    host: searchParams.get("host") ?? (hostname === "" ? "localhost" : decoded(hostname)),
    port: Number(searchParams.get("port") ?? (port === "" ? "5432" : port)),
    // As libpq does: without a name the database is called as the user is.
    database: searchParams.get("dbname") ?? (pathname.length > 1 ? decoded(pathname.slice(1)) : user)
  })
}

export const showAddress = ({ database, host, port }: PostgresAddress): string => `${host}:${port}/${database}`
