/**
 * Upkeep of our schemas of a PostgreSQL database: tables in `tapestry_base` (before the fourth migration in `tapestry`), views and the
 * records of migrations in the others. Migrations and stamps wait for each other at the advisory lock of the
 * migrations.
 *
 * What a schema should be like is made by the migrations themselves, in a transaction that is rolled back: the schema that is there is
 * renamed and another one built in its place, and the catalogues of both compared. Nobody else ever sees that, and nobody waits for
 * it but who changes the schema.
 */
import { Effect, type Redacted } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { defaultTenant, type TenantName } from "../../../domain/Tenant.ts"
import { alone, checksum, migrate } from "../../postgres/migrate.ts"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import { failureOf } from "../../postgres/PostgresFailure.ts"
import { int4, type SqlParameter, text, texts } from "../../postgres/values.ts"
import { countMigrations } from "../countMigrations.ts"
import { migrations } from "../postgres/migrations.ts"
import { openDatabase } from "../postgres/openDatabase.ts"
import { mapStoreFailure } from "../postgres/storeFailure.ts"
import { tenantId } from "../postgres/tenantId.ts"
import { type Extension, findExtension } from "../postgres/timescale/extension.ts"
import { runRetention } from "../postgres/timescale/retention.ts"
import { postgresTenants } from "../tenants/postgresTenants.ts"
import { countStatements, kindCount, seriesPages, seriesStats } from "./counts.ts"
import { assess, refusalOf } from "./SchemaReport.ts"
import type { StoreUpkeep } from "./StoreUpkeep.ts"
import { differenceOf, mayStamp, mismatch, type Trait, toRecord } from "./stamping.ts"
import { timescalePolicies } from "./timescalePolicies.ts"

const known = migrations.map((migration) => ({ id: migration.id, name: migration.name, sha256: checksum(migration) }))
const countsIn = (schema: string) => countStatements(`${schema}.`, (sum) => `(${sum})::int8`, ["$1", "$2"])

const thereIs = "select to_regclass($1)::text"
const selectRecorded = "select id, sha256 from tapestry.migration_checksums order by id"
const createRecorded =
  "create table if not exists tapestry.migration_checksums (id int4 primary key, sha256 text not null)"
const upsertRecorded = `insert into tapestry.migration_checksums (id, sha256) values ($1, $2)
  on conflict (id) do update set sha256 = excluded.sha256`
/** A hypertable itself is empty: what it has is in its chunks. */
const selectTables = (extension: Extension | null) => `select c.relname::text, ${
  extension === null
    ? "pg_total_relation_size(c.oid)"
    : `coalesce(${extension.fn("hypertable_size")}(c.oid), pg_total_relation_size(c.oid))`
}
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('tapestry', 'tapestry_base') and c.relkind in ('r', 'p') order by 1`
/** Whether this user may read the tables of all tenants; no row where they are in no schema of their own yet. */
const readsTables = "select has_schema_privilege(oid, 'usage')::int from pg_namespace where nspname = 'tapestry_base'"

const schemas = ["tapestry", "tapestry_base", "tapestry_app"]
const aside = "_compared"
const selectSchemas = "select nspname::text from pg_namespace where nspname = any($1)"

const tablesOf = `select c.oid, n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any($1) and c.relkind in ('r', 'p') and c.relname not in ('migrations', 'migration_checksums')`
/** Not-null constraints (of 18 on) are in the columns. */
const selectTraits = `with tables as (${tablesOf})
  select 'column', t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
      || case when a.attnotnull then ' not null' else '' end
      || case a.attidentity when '' then '' else ' identity ' || a.attidentity::text end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      || coalesce(' collate ' || l.collname, '') || ' storage ' || a.attstorage::text
    from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_collation l on l.oid = a.attcollation
  union all
  select 'constraint', t.name || ' ' || pg_get_constraintdef(k.oid)
    from tables t join pg_constraint k on k.conrelid = t.oid where k.contype <> 'n'
  union all
  select 'index', regexp_replace(pg_get_indexdef(i.indexrelid), ' ON (ONLY )?[^ .]+\\.', ' ON ')
    from tables t join pg_index i on i.indrelid = t.oid
  union all
  select 'view', n.nspname || '.' || c.relname || coalesce(' with ' || c.reloptions::text, '') || ' as ' || pg_get_viewdef(c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and c.relkind = 'v'`

/** As they are called when they are not aside. Views of one's own do no harm; a table has the columns that it should have. */
const traitsIn = (query: Query, suffix: string) =>
  Effect.map(query(selectTraits, [texts(schemas.map((schema) => `${schema}${suffix}`))]), (rows) =>
    rows.map(
      ([kind, of]): Trait => ({
        text: `${kind} ${String(of).replaceAll(aside, "").replace(/\s+/g, " ")}`,
        own: kind !== "column"
      })
    )
  )

const reportIn = Effect.fnUntraced(function* (query: Query) {
  const there = (table: string) => Effect.map(query(thereIs, [text(table)]), ([row]) => row?.[0] !== null)
  const recorded = (yield* there("tapestry.migration_checksums")) ? yield* query(selectRecorded) : []
  return assess(
    recorded.map(([id, sha256]) => ({ id: Number(id), sha256: String(sha256) })),
    known,
    yield* there("tapestry.series")
  )
})

/** Leaves everything as it was. */
const compared = Effect.fnUntraced(function* (query: Query, version: number) {
  yield* query("savepoint compared")
  for (const [schema] of yield* query(selectSchemas, [texts(schemas)])) {
    yield* query(`alter schema ${schema} rename to ${schema}${aside}`)
  }
  yield* query("create schema tapestry")
  yield* query(createRecorded)
  for (const { id, statements } of migrations) {
    if (id <= version) for (const statement of statements) yield* query(statement)
  }
  const there = yield* traitsIn(query, aside)
  const made = yield* traitsIn(query, "")
  yield* query("rollback to savepoint compared")
  return { there, made }
})

/** The Migrator's own list is kept by the Migrator, for which these migrations do nothing. */
const record = Effect.fnUntraced(function* (
  address: string,
  client: SqlClient.SqlClient,
  query: Query,
  version: number,
  ids: ReadonlyArray<number>
) {
  const done: Migrator.Loader = Effect.succeed(
    known.filter(({ id }) => id <= version).map(({ id, name }) => [id, name, Effect.succeed(Effect.void)])
  )
  yield* Migrator.make({})({ loader: done, table: "tapestry.migrations" }).pipe(
    Effect.provideService(SqlClient.SqlClient, client),
    Effect.mapError(failureOf(address, "stamp"))
  )
  yield* query(createRecorded)
  for (const { id, sha256 } of known) {
    if (ids.includes(id)) yield* query(upsertRecorded, [int4(id), text(sha256)])
  }
})

export const postgresUpkeep = Effect.fnUntraced(function* (
  url: Redacted.Redacted,
  readonly: boolean,
  tenant: TenantName = defaultTenant.name
) {
  const database = yield* mapStoreFailure(openDatabase(url, readonly))
  const { address, bare } = database
  const report = mapStoreFailure(reportIn(bare("schema")))
  /** Kinds are counted over all tenants where this user may, series are one tenant's. */
  const counted = Effect.fnUntraced(function* (which: "kinds" | "series", params: ReadonlyArray<SqlParameter> = []) {
    const [row] = yield* bare(which)(readsTables)
    if (row === undefined) return yield* bare(which)(countsIn("tapestry")[which], params)
    return which === "kinds" && row[0] === 1
      ? yield* bare(which)(countsIn("tapestry_base")[which], params)
      : yield* database.forTenant(yield* tenantId(database, tenant)).query(which)(
          countsIn("tapestry_app")[which],
          params
        )
  })
  const tables = mapStoreFailure(
    Effect.map(
      Effect.flatMap(findExtension(bare("tables")), (extension) => bare("tables")(selectTables(extension))),
      (rows) => rows.map(([table, bytes]) => ({ table: String(table), bytes: Number(bytes) }))
    )
  )

  const upkeep: StoreUpkeep = {
    store: "postgres",
    where: address,
    report,
    tenants: postgresTenants(database),
    bytes: Effect.map(tables, (found) => found.reduce((sum, { bytes }) => sum + bytes, 0)),
    kinds: mapStoreFailure(Effect.map(counted("kinds"), (rows) => rows.map(kindCount))),
    tables,
    series: seriesPages((after, most) =>
      mapStoreFailure(Effect.map(counted("series", [text(after), int4(most)]), (rows) => rows.map(seriesStats)))
    ),
    migrate: Effect.gen(function* () {
      const before = yield* report
      const refusal = refusalOf(address, before)
      if (refusal !== null) return yield* mismatch(refusal)
      return yield* mapStoreFailure(Effect.tap(migrate(database, migrations), countMigrations))
    }),
    stamp: (version, { confirm }) =>
      mapStoreFailure(
        alone(database, "stamp", (inside, client) =>
          Effect.gen(function* () {
            const before = yield* reportIn(inside)
            const refusal = mayStamp(address, before, version)
            if (refusal !== null) return yield* mismatch(refusal)
            const { made, there } = yield* compared(inside, version)
            const difference = differenceOf(address, version, there, made)
            if (difference !== null) return yield* mismatch(difference)
            const recorded = toRecord(before, version)
            const done = confirm && recorded.length > 0
            if (done) yield* record(address, client, inside, version, recorded)
            return { recorded, done }
          })
        )
      ),
    policies: timescalePolicies(database),
    retain: (of, before, { apply }) => mapStoreFailure(runRetention(database, of, before, apply))
  }
  return upkeep
})
