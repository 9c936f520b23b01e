/** Whether a database has TimescaleDB, and where. */
import { Effect } from "effect"
import type { Query } from "../../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../../postgres/PostgresFailure.ts"

export interface Extension {
  readonly version: string
  /** How a function of the extension is called, whatever schema it was created in. */
  readonly fn: (name: string) => string
}

const select = `select e.extversion, quote_ident(n.nspname) from pg_extension e
  join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb'`

/** Null on plain PostgreSQL, also where the server has TimescaleDB and nobody has made the extension in this database. */
export const findExtension = (query: Query): Effect.Effect<Extension | null, PostgresFailure> =>
  Effect.map(query(select), ([row]) =>
    row === undefined ? null : { version: String(row[0]), fn: (name: string) => `${row[1]}.${name}` }
  )

/** Whether a database of this server could have it. */
export const isAvailable = (query: Query): Effect.Effect<boolean, PostgresFailure> =>
  Effect.map(query("select 1 from pg_available_extensions where name = 'timescaledb'"), (rows) => rows.length > 0)
