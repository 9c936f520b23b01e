/**
 * Migrations of a PostgreSQL database: numbered, forward only, all pending ones in one transaction. In front of effect's Migrator
 * stands a check, because it accepts a database newer than the code and skips ids below the highest applied without a word.
 *
 * Everything of ours is in the schema `tapestry`, also the list of migrations. Processes that start at once wait for each other at an
 * advisory lock, which goes with the transaction: the first migrates, the others find it done.
 */
import { createHash } from "node:crypto"
import { Data, Effect, type Scope } from "effect"
import { Migrator, SqlClient, SqlError } from "effect/sql"
import type { PostgresDatabase, Query } from "./PostgresDatabase.ts"
import { failureOf, type PostgresFailure } from "./PostgresFailure.ts"
import { int4, text } from "./values.ts"

export interface PostgresMigration {
  readonly id: number
  readonly name: string
  readonly statements: ReadonlyArray<string>
  /** What follows from them in a database that has more than the migrations make; no part of the checksum. */
  readonly after?: (query: Query) => Effect.Effect<void, PostgresFailure>
}

/** The database is newer than the code, was made by migrations that have been changed since, or must be migrated by somebody else. */
export class SchemaMismatch extends Data.TaggedError("SchemaMismatch")<{ readonly message: string }> {}

/** Any number, as long as it stays. */
const migrationLock = "select pg_advisory_xact_lock(7202505718263514)"
const thereIsAList = "select to_regclass('tapestry.migration_checksums') is not null"
const selectApplied = "select id, sha256 from tapestry.migration_checksums order by id"
const insertApplied = "insert into tapestry.migration_checksums (id, sha256) values ($1, $2)"

export const checksum = (migration: PostgresMigration): string =>
  createHash("sha256").update(migration.statements.join(";\n")).digest("hex")

const newest = (migrations: ReadonlyArray<PostgresMigration>): number =>
  migrations.reduce((most, migration) => Math.max(most, migration.id), 0)

/** The highest migration that is applied, 0 where there is none; fails where they are not those of this release. */
const appliedVersion = Effect.fnUntraced(function* (
  query: Query,
  address: string,
  migrations: ReadonlyArray<PostgresMigration>
): Effect.fn.Return<number, PostgresFailure | SchemaMismatch> {
  const [there] = yield* query(thereIsAList)
  // A boolean comes as it is, whatever the rows' type says of the columns that the store has.
  if (!there?.[0]) return 0
  const highest = newest(migrations)
  let version = 0
  for (const [id, sum] of yield* query(selectApplied)) {
    const migration = migrations.find((candidate) => candidate.id === id)
    if (migration === undefined) {
      return yield* new SchemaMismatch({
        message:
          Number(id) > highest
            ? `${address} has schema version ${id}, this release knows up to ${highest}: use the release that wrote it, or a newer one`
            : `${address} has migration ${id}, which this release does not know`
      })
    }
    if (checksum(migration) !== sum) {
      return yield* new SchemaMismatch({
        message: `${address}: migration ${id} (${migration.name}) is not the one that was applied; the database and this release do not belong together`
      })
    }
    version = migration.id
  }
  return version
})

/** For a database that may only be read: refuses one that is newer, was changed, or is not up to date. */
export const expectMigrated = Effect.fnUntraced(function* (
  database: PostgresDatabase,
  migrations: ReadonlyArray<PostgresMigration>
) {
  const version = yield* appliedVersion(database.bare("open"), database.address, migrations)
  if (version === 0) {
    return yield* new SchemaMismatch({
      message: `${database.address} has no tables of Tapestry yet: the first command that fetches makes them, or tapestry rebuild, which fills them from the archive`
    })
  }
  if (version < newest(migrations)) {
    return yield* new SchemaMismatch({
      message: `${database.address} has schema version ${version} and this release needs ${newest(migrations)}: open it once with the right to write, which migrates it`
    })
  }
})

/**
 * Runs what changes the schema, or its records, alone: whoever else would do so, here or in another process, waits. The transaction is the
 * client's own, of which the Migrator's is a part; statements of `query` go there.
 */
export const alone = <A, E, R>(
  database: PostgresDatabase,
  operation: string,
  body: (query: Query, client: SqlClient.SqlClient) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | PostgresFailure, Exclude<R, Scope.Scope>> => {
  const failed = failureOf(database.address, operation)
  return Effect.scoped(
    Effect.flatMap(database.client, (client) => {
      const query: Query = (sql, params = []) =>
        Effect.mapError(client.unsafe(sql, params).values, failed) as ReturnType<Query>
      return client.withTransaction(Effect.andThen(query(migrationLock), body(query, client)))
    })
  ).pipe(
    Effect.mapError((error): E | PostgresFailure => (SqlError.isSqlError(error) ? failed(error) : error)),
    // What the client makes of a connection that breaks in the middle.
    Effect.catchDefect((defect) => (SqlError.isSqlError(defect) ? Effect.fail(failed(defect)) : Effect.die(defect)))
  )
}

/** Brings the database to the newest version, and says which migrations ran; refuses one that is newer or was changed. */
export const migrate = Effect.fnUntraced(function* (
  database: PostgresDatabase,
  migrations: ReadonlyArray<PostgresMigration>
) {
  const { address } = database
  const nothing: ReadonlyArray<number> = []
  if ((yield* appliedVersion(database.bare("open"), address, migrations)) === newest(migrations)) return nothing
  return yield* alone(database, "migrate", (query, client) =>
    Effect.gen(function* () {
      // Again: another process may have been first.
      if ((yield* appliedVersion(query, address, migrations)) === newest(migrations)) return nothing
      yield* query("create schema if not exists tapestry")
      yield* query(
        "create table if not exists tapestry.migration_checksums (id int4 primary key, sha256 text not null)"
      )
      const loader: Migrator.Loader = Effect.succeed(
        migrations.map((migration) => [
          migration.id,
          migration.name,
          Effect.succeed(
            Effect.gen(function* () {
              for (const statement of migration.statements) yield* query(statement)
              if (migration.after !== undefined) yield* migration.after(query)
              yield* query(insertApplied, [int4(migration.id), text(checksum(migration))])
            })
          )
        ])
      )
      const ran = yield* Migrator.make({})({ loader, table: "tapestry.migrations" }).pipe(
        Effect.provideService(SqlClient.SqlClient, client),
        Effect.mapError(failureOf(address, "migrate"))
      )
      return ran.map(([id]) => id)
    })
  )
})
