/**
 * Upkeep of market.sqlite. Who writes is the owner of the data directory for as long as this is open, as every writer of it is;
 * the second of two that migrate at once waits, and finds nothing to do.
 */
import { stat } from "node:fs/promises"
import { Effect } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { defaultTenant, type TenantName } from "../../../domain/Tenant.ts"
import { checksum, migrate } from "../../sqlite/migrate.ts"
import { readInSteps } from "../../sqlite/readInSteps.ts"
import { open, type SqliteDatabase, SqliteFailure, type SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { countMigrations } from "../countMigrations.ts"
import { migrations } from "../migrations.ts"
import { mapStoreError } from "../storeError.ts"
import { sqliteTenants } from "../tenants/sqliteTenants.ts"
import { countStatements, kindCount, seriesPages, seriesStats } from "./counts.ts"
import { assess, type RecordedMigration, refusalOf } from "./SchemaReport.ts"
import type { StoreUpkeep } from "./StoreUpkeep.ts"
import { retain, wouldGo } from "./sqliteRetention.ts"
import { differenceOf, mayStamp, mismatch, type Trait, toRecord } from "./stamping.ts"

const known = migrations.map((migration) => ({ id: migration.id, name: migration.name, sha256: checksum(migration) }))
const counts = countStatements("", (sum) => sum, ["?", "?"], "?")

const named = "select count(*) from sqlite_master where type = 'table' and name = ?"
const selectRecorded = "select id, sha256 from migration_checksums order by id"
const createRecorded =
  "create table if not exists migration_checksums (id integer primary key, sha256 text not null) strict"
const selectTraits = `select type, name, sql from sqlite_master
  where sql is not null and name not like 'sqlite_%' and name not in ('migrations', 'migration_checksums')`
const selectSize = "select page_count * page_size from pragma_page_count(), pragma_page_size()"
/** An index is its table's. */
const selectOwners = "select name, tbl_name from sqlite_master"
const selectPages = "select name, pgsize from dbstat"

const has = (db: SyncDatabase, table: string): boolean => db.prepare(named).get(table)?.[0] !== 0

const recordedIn = (db: SyncDatabase): ReadonlyArray<RecordedMigration> =>
  has(db, "migration_checksums")
    ? db
        .prepare(selectRecorded)
        .all()
        .map(([id, sha256]) => ({ id: Number(id), sha256: String(sha256) }))
    : []

/** SQLite keeps the statement that made a thing, with what was altered since. */
const traitsIn = (db: SyncDatabase): ReadonlyArray<Trait> =>
  db
    .prepare(selectTraits)
    .all()
    .map(([type, name, sql]) => ({
      text: `${type} ${name}: ${String(sql).replace(/\s+/g, " ")}`,
      own: type !== "table"
    }))

/** What the migrations up to a version make, made in memory. */
const madeBy = (version: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const memory = yield* open({ filename: ":memory:", synchronous: "NORMAL" })
      return yield* memory.write("compare", (db) => {
        for (const { id, statements } of migrations) {
          if (id <= version) for (const statement of statements) db.prepare(statement).run()
        }
        return traitsIn(db)
      })
    })
  )

/** The Migrator's own list is kept by the Migrator, for which these migrations do nothing. */
const record = Effect.fnUntraced(function* (database: SqliteDatabase, version: number, ids: ReadonlyArray<number>) {
  const { client, filename } = database
  const done: Migrator.Loader = Effect.succeed(
    known.filter(({ id }) => id <= version).map(({ id, name }) => [id, name, Effect.succeed(Effect.void)])
  )
  yield* client
    .withTransaction(
      Effect.gen(function* () {
        yield* Migrator.make({})({ loader: done, table: "migrations" }).pipe(
          Effect.provideService(SqlClient.SqlClient, client)
        )
        yield* client.unsafe(createRecorded)
        for (const { id, sha256 } of known) {
          if (!ids.includes(id)) continue
          yield* client`insert into migration_checksums (id, sha256) values (${id}, ${sha256})
            on conflict (id) do update set sha256 = excluded.sha256`
        }
      })
    )
    .pipe(
      Effect.mapError(
        ({ message }) => new SqliteFailure({ filename, operation: "stamp", code: "SQLITE_UNKNOWN", message })
      )
    )
})

/** Bytes of a file; 0 where there is none. */
const sizeOf = (file: string) =>
  Effect.promise(() =>
    stat(file).then(
      ({ size }) => size,
      () => 0
    )
  )

/** The file must be there. */
export const sqliteUpkeep = Effect.fnUntraced(function* (
  filename: string,
  readonly: boolean,
  tenant: TenantName = defaultTenant.name
) {
  const database = yield* mapStoreError(open({ filename, readonly, tenant, synchronous: "NORMAL", lockStand: 0 }))
  const read = <A>(operation: string, f: (db: SyncDatabase) => A) => mapStoreError(database.read(operation, f))
  const report = read("schema", (db) => assess(recordedIn(db), known, has(db, "series")))

  const upkeep: StoreUpkeep = {
    store: "sqlite",
    where: filename,
    report,
    tenants: sqliteTenants(database),
    bytes: Effect.zipWith(
      read("size", (db) => Number(db.prepare(selectSize).get()?.[0])),
      sizeOf(`${filename}-wal`),
      (pages, log) => pages + log
    ),
    kinds: read("kinds", (db) => db.prepare(counts.kinds).all().map(kindCount)),
    tables: Effect.gen(function* () {
      const owners = new Map<unknown, string>(
        yield* read("tables", (db) =>
          db
            .prepare(selectOwners)
            .all()
            .map(([name, table]): [string, string] => [String(name), String(table)])
        )
      )
      const sizes = new Map<string, number>()
      yield* mapStoreError(
        readInSteps(filename, "tables", selectPages, ([name, bytes]) => {
          const table = owners.get(name) ?? String(name)
          sizes.set(table, (sizes.get(table) ?? 0) + Number(bytes))
        })
      )
      return [...sizes].map(([table, bytes]) => ({ table, bytes })).sort((a, b) => (a.table < b.table ? -1 : 1))
    }),
    series: seriesPages((after, most) =>
      read("series", (db) => db.prepare(counts.series).all(db.tenant, after, most).map(seriesStats))
    ),
    migrate: Effect.gen(function* () {
      const before = yield* report
      const refusal = refusalOf(filename, before)
      if (refusal !== null) return yield* mismatch(refusal)
      const { ran } = yield* mapStoreError(migrate(database, migrations))
      yield* countMigrations(ran)
      return ran
    }),
    stamp: Effect.fnUntraced(function* (version, { confirm }) {
      const before = yield* report
      const refusal = mayStamp(filename, before, version)
      if (refusal !== null) return yield* mismatch(refusal)
      const made = yield* mapStoreError(madeBy(version))
      const difference = differenceOf(filename, version, yield* read("compare", traitsIn), made)
      if (difference !== null) return yield* mismatch(difference)
      const recorded = toRecord(before, version)
      const done = confirm && recorded.length > 0
      if (done) yield* mapStoreError(record(database, version, recorded))
      return { recorded, done }
    }),
    policies: Effect.succeed(`${filename} is an embedded store, without TimescaleDB`),
    retain: (of, before, { apply }) =>
      mapStoreError(apply ? retain(database, of, before) : wouldGo(database, of, before))
  }
  return upkeep
})
