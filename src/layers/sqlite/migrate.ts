/**
 * Migrations of a SQLite database: numbered, forward only, all pending ones in one transaction. In front of effect's Migrator
 * stands a check, because it accepts a database newer than the code and skips ids below the highest applied without a word.
 */
import { createHash } from "node:crypto"
import { Data, Effect, Predicate } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import type { SqliteDatabase } from "./SqliteDatabase.ts"
import { SqliteFailure } from "./SqliteDatabase.ts"

export interface SqliteMigration {
  readonly id: number
  readonly name: string
  readonly statements: ReadonlyArray<string>
}

/** The database is newer than the code, or was made by migrations that have been changed since. */
export class SchemaMismatch extends Data.TaggedError("SchemaMismatch")<{ readonly message: string }> {}

export const checksum = (migration: SqliteMigration): string =>
  createHash("sha256").update(migration.statements.join(";\n")).digest("hex")

const newest = (migrations: ReadonlyArray<SqliteMigration>): number =>
  migrations.reduce((most, migration) => Math.max(most, migration.id), 0)

const check = (database: SqliteDatabase, migrations: ReadonlyArray<SqliteMigration>) =>
  database.read("migrations", (db) => {
    const known = db.prepare("select count(*) from sqlite_master where name = 'migration_checksums'").get()
    if (known?.[0] === 0) return null
    const highest = newest(migrations)
    for (const [id, sum] of db.prepare("select id, sha256 from migration_checksums order by id").all()) {
      const migration = migrations.find((candidate) => candidate.id === id)
      if (migration === undefined) {
        return Number(id) > highest
          ? `${database.filename} has schema version ${id}, this release knows up to ${highest}: use the release that wrote it, or a newer one`
          : `${database.filename} has migration ${id}, which this release does not know`
      }
      if (checksum(migration) !== sum) {
        return `${database.filename}: migration ${id} (${migration.name}) is not the one that was applied; the data directory and this release do not belong together`
      }
    }
    return null
  })

/** For a database that may only be read: returns its version; refuses one that is newer, was changed, or is not up to date. */
export const expectMigrated = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  migrations: ReadonlyArray<SqliteMigration>
) {
  const mismatch = yield* check(database, migrations)
  if (mismatch !== null) return yield* new SchemaMismatch({ message: mismatch })
  const applied = yield* database.read("migrations", (db) =>
    db.prepare("select count(*) from sqlite_master where name = 'migration_checksums'").get()?.[0] === 0
      ? 0
      : Number(db.prepare("select coalesce(max(id), 0) from migration_checksums").get()?.[0])
  )
  if (applied < newest(migrations)) {
    return yield* new SchemaMismatch({
      message: `${database.filename} has schema version ${applied} and this release needs ${newest(migrations)}: open it once with the right to write, which migrates it`
    })
  }
  return applied
})

/** What SQLite itself said, under the errors that the client and the Migrator put around it. */
const rootOf = (error: unknown): unknown => {
  if (Predicate.hasProperty(error, "cause") && error.cause !== undefined) return rootOf(error.cause)
  return Predicate.hasProperty(error, "reason") ? rootOf(error.reason) : error
}

/** Brings the database to the newest version, and says which one that is and which migrations ran for it; refuses one that is newer or was changed. */
export const migrate = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  migrations: ReadonlyArray<SqliteMigration>
) {
  const mismatch = yield* check(database, migrations)
  if (mismatch !== null) return yield* new SchemaMismatch({ message: mismatch })
  const loader: Migrator.Loader = Effect.succeed(
    migrations.map((migration) => [
      migration.id,
      migration.name,
      Effect.succeed(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`create table if not exists migration_checksums (id integer primary key, sha256 text not null) strict`
          for (const statement of migration.statements) yield* sql.unsafe(statement)
          yield* sql`insert into migration_checksums (id, sha256) values (${migration.id}, ${checksum(migration)})`
        })
      )
    ])
  )
  const ran = yield* Migrator.make({})({ loader, table: "migrations" }).pipe(
    Effect.provideService(SqlClient.SqlClient, database.client),
    Effect.mapError((error) => {
      const root = rootOf(error)
      const detail = root instanceof Error && root !== error ? `${error.message}: ${root.message}` : error.message
      return new SqliteFailure({
        filename: database.filename,
        operation: "migrate",
        code: Predicate.hasProperty(root, "code") && typeof root.code === "string" ? root.code : "SQLITE_UNKNOWN",
        message: `migrating ${database.filename}: ${detail}`
      })
    })
  )
  return { version: newest(migrations), ran: ran.map(([id]) => id) }
})
