import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { TenantId } from "../../../../../src/domain/Tenant.ts"
import { openDatabase } from "../../../../../src/layers/market/postgres/openDatabase.ts"
import { mapStoreFailure } from "../../../../../src/layers/market/postgres/storeFailure.ts"
import { freshDatabase, sql } from "../../../../support/postgres.ts"
import { acme, bolt, withTenants, workerIn } from "../../../../support/tenants.ts"

const views = (url: string) =>
  Effect.map(
    sql(
      url,
      `select n.nspname::text, c.relname::text, c.reloptions::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname like 'tapestry%' and c.relkind in ('v', 'm') order by 1, 2`
    ),
    (rows) => rows.map(([schema, name, options]) => ({ schema, name: String(name), options: String(options) }))
  )

/** The tables, and what a row needs beyond a value of the type of each column: one that a check asks for. */
const matrix: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  action_answers: {},
  actions: {},
  answers: {},
  api_config: {},
  applied: {},
  bars: {},
  coverage: {},
  echoes: {},
  fundamentals: {},
  generations: { state: "'current'" },
  job_runs: { mode: "'live'", status: "'running'" },
  jobs: { state: "'queued'" },
  mismatches: {},
  news: {},
  option_snapshots: {},
  quotes: {},
  reconciled_pairs: {},
  record_echoes: {},
  record_revisions: {},
  refusals: {},
  revisions: {},
  series: {},
  signals: {},
  statistics: {},
  trades: {}
}

/** Two rows with different numbers have no key in common. */
const sample = (number: number): Readonly<Record<string, string>> => ({
  bigint: String(number),
  integer: "1",
  smallint: "1",
  "double precision": "1",
  text: `'${number}'`,
  bytea: "'\\x00'",
  "timestamp with time zone": "'2020-01-01'"
})

const insertOf = (
  columns: ReadonlyArray<readonly [name: string, type: string]>,
  into: string,
  table: string,
  tenant: string,
  number = 1
) => {
  const values = columns.map(([name, type]) =>
    name === "tenant" ? `'${tenant}'` : (matrix[table]?.[name] ?? sample(number)[type] ?? `no sample of ${type}`)
  )
  const names = columns.map(([name]) => `"${name}"`).join(", ")
  return `insert into ${into}.${table} (${names}) overriding system value values (${values.join(", ")})`
}

const columnsOf = (url: string, table: string) =>
  Effect.map(
    sql(
      url,
      `select column_name::text, data_type::text from information_schema.columns
        where table_schema = 'tapestry_base' and table_name = '${table}' and is_generated = 'NEVER' order by ordinal_position`
    ),
    (rows) => rows.map(([name, type]) => [String(name), String(type)] as const)
  )

/** One connection of a user; `as` runs statements in a transaction of a tenant and gives the rows, or the SQLSTATE, of the last. */
const connected = Effect.fnUntraced(function* (url: string) {
  const layer = PgClient.layer({ url: Redacted.make(url), maxConnections: 1 })
  const client = Context.get(yield* Layer.build(layer), PgClient.PgClient)
  const state = (error: unknown): string => {
    const code = (at: unknown): string | undefined =>
      typeof at === "object" && at !== null
        ? "code" in at && typeof at.code === "string"
          ? at.code
          : (code("reason" in at ? at.reason : undefined) ?? code("cause" in at ? at.cause : undefined))
        : undefined
    return code(error) ?? String(error)
  }
  const told = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.match(effect, { onFailure: state, onSuccess: (rows) => rows })
  return {
    alone: (text: string) => told(client.unsafe(text).values),
    as: (tenant: string | null, text: string) =>
      told(
        client.withTransaction(
          Effect.andThen(
            tenant === null
              ? Effect.void
              : client.unsafe(`select set_config('app.tenant_id', '${tenant}', true)`).values,
            client.unsafe(text).values
          )
        )
      )
  }
})

const prepared = Effect.gen(function* () {
  const url = yield* freshDatabase
  yield* withTenants(url)
  return { url, user: yield* connected(yield* workerIn(url)) }
})

describe("views of a tenant", () => {
  it.live("every view is a row of the matrix, with its options, and no table or view is without", () =>
    Effect.gen(function* () {
      const { url } = yield* prepared
      const found = yield* views(url)
      const names = [...Object.keys(matrix), "tenants"].sort()
      for (const schema of ["tapestry", "tapestry_app"]) {
        assert.deepStrictEqual(
          found.filter((view) => view.schema === schema).map(({ name }) => name),
          names
        )
      }
      assert.strictEqual(found.length, 2 * names.length)
      for (const { name, options, schema } of found) {
        assert.include(options, "check_option=cascaded", `${schema}.${name}`)
        assert.strictEqual(options.includes("security_barrier=true"), schema === "tapestry", `${schema}.${name}`)
      }
      const tables = yield* sql(
        url,
        "select tablename::text from pg_tables where schemaname like 'tapestry%' and tablename not like 'migration%' order by 1"
      )
      assert.deepStrictEqual(tables.flat(), names)
    })
  )

  it.live("a row of one tenant: no other one sees, changes, removes or writes it, and nobody without one", () =>
    Effect.gen(function* () {
      const { url, user } = yield* prepared
      for (const [table] of Object.entries(matrix).sort(([a]) => (a === "generations" ? -1 : 1))) {
        const columns = yield* columnsOf(url, table)
        yield* sql(url, insertOf(columns, "tapestry_base", table, acme.id))
        assert.strictEqual(yield* user.alone(`select * from tapestry_base.${table}`), "42501")
        for (const schema of ["tapestry", "tapestry_app"]) {
          const view = `${schema}.${table}`
          const count = `select count(*)::int from ${view}`
          assert.deepStrictEqual(yield* user.as(acme.id, count), [[1]], view)
          // The connection has had a tenant, whose setting is empty now: no row, and no error about what is no uuid.
          for (const none of [user.alone(count), user.as(null, count), user.as(bolt.id, count)]) {
            assert.deepStrictEqual(yield* none, [[0]], view)
          }
          for (const other of [bolt.id, null]) {
            assert.deepStrictEqual(yield* user.as(other, `update ${view} set tenant = tenant returning 1`), [], view)
            assert.deepStrictEqual(yield* user.as(other, `delete from ${view} returning 1`), [], view)
            assert.strictEqual(yield* user.as(other, insertOf(columns, schema, table, acme.id, 2)), "44000", view)
          }
          const moved = yield* user.as(acme.id, `update ${view} set tenant = '${bolt.id}'`)
          // The view refuses it, or the generation, which is not that tenant's.
          assert.include(["44000", "23503"], moved, view)
        }
        assert.deepStrictEqual(yield* sql(url, `select tenant::text from tapestry_base.${table}`), [[acme.id]])
      }
    })
  )

  it.live("a tenant sees itself among the tenants, and finds the id of a name that it knows", () =>
    Effect.gen(function* () {
      const { user } = yield* prepared
      for (const schema of ["tapestry", "tapestry_app"]) {
        assert.deepStrictEqual(yield* user.as(acme.id, `select name from ${schema}.tenants`), [["acme"]])
        assert.deepStrictEqual(yield* user.alone(`select name from ${schema}.tenants`), [])
        assert.strictEqual(yield* user.as(acme.id, `update ${schema}.tenants set name = 'mine'`), "42501")
        assert.strictEqual(yield* user.as(acme.id, `delete from ${schema}.tenants`), "42501")
      }
      assert.deepStrictEqual(yield* user.alone("select tapestry_app.tenant_id('bolt')::text"), [[bolt.id]])
      assert.deepStrictEqual(yield* user.alone("select tapestry_app.tenant_id('nobody')"), [[null]])
      for (const text of ["create table tapestry.mine ()", "create table mine ()", "drop view tapestry_app.bars"]) {
        assert.strictEqual(yield* user.alone(text), "42501", text)
      }
    })
  )

  it.live("whoever conflicts with a row of another tenant is refused, and changes nothing", () =>
    Effect.gen(function* () {
      const { url, user } = yield* prepared
      const columns = yield* columnsOf(url, "bars")
      yield* sql(url, insertOf(columns, "tapestry_base", "bars", acme.id))
      const upsert = `${insertOf(columns, "tapestry_app", "bars", bolt.id)}
        on conflict (generation, ts) do update set close = 99, tenant = excluded.tenant`
      assert.include(["44000", "42501"], yield* user.as(bolt.id, upsert.replace(", tenant = excluded.tenant", "")))
      assert.deepStrictEqual(yield* sql(url, "select close, tenant::text from tapestry_base.bars"), [[1, acme.id]])
      // A number of a generation proves nothing: an answer is applied to a generation of its tenant, or not at all.
      yield* sql(url, insertOf(yield* columnsOf(url, "generations"), "tapestry_base", "generations", acme.id))
      const applied = insertOf(yield* columnsOf(url, "applied"), "tapestry_app", "applied", bolt.id)
      assert.strictEqual(yield* user.as(bolt.id, applied), "23503")
    })
  )

  it.live("a row of another tenant arrives as StoreTenantDenied, also where the user owns the tables", () =>
    Effect.gen(function* () {
      const { url } = yield* prepared
      const columns = yield* columnsOf(url, "series")
      for (const as of [url, yield* workerIn(url)]) {
        const database = (yield* openDatabase(Redacted.make(as), false)).forTenant(TenantId.make(bolt.id))
        const denied = yield* database
          .transaction("write", (query) => query(insertOf(columns, "tapestry_app", "series", acme.id)))
          .pipe(mapStoreFailure, Effect.flip)
        assert.strictEqual(denied.reason._tag, "StoreTenantDenied")
        assert.match(denied.message, /nothing of it is stored/)
      }
    })
  )
})
