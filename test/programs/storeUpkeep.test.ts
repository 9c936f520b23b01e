/** `tapestry store`, over market.sqlite and over PostgreSQL: the same questions, the same answers. */
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Redacted, type Scope } from "effect"
import { migrations as sqliteMigrations } from "../../src/layers/market/migrations.ts"
import { migrations as postgresMigrations } from "../../src/layers/market/postgres/migrations.ts"
import { openDatabase } from "../../src/layers/market/postgres/openDatabase.ts"
import { migrate as migratePostgres } from "../../src/layers/postgres/migrate.ts"
import { migrate } from "../../src/layers/sqlite/migrate.ts"
import { open } from "../../src/layers/sqlite/SqliteDatabase.ts"
import { bareDatabase, sql } from "../support/postgres.ts"
import { ended, json, ok, scratch, spx, start, tapestry, type Where } from "./tapestry.ts"

const range = ["--from", "2019-01-01", "--to", "2019-07-01"]

interface Store {
  readonly where: Where
  /** What messages call it. */
  readonly name: string
  readonly newest: number
  /** A statement to the store itself; what it refuses is not told. */
  readonly run: (text: string) => Effect.Effect<void>
  /** What stands before a table's name. */
  readonly schema: string
  /** What stands before the name of a table of rows. */
  readonly tables: string
}

const embedded: Effect.Effect<Store> = Effect.sync(() => {
  const where = { cwd: scratch("upkeep-sqlite") }
  const file = join(where.cwd, ".tapestry", "market.sqlite")
  return {
    where,
    name: join(".tapestry", "market.sqlite"),
    newest: sqliteMigrations.length,
    run: (text) =>
      Effect.sync(() => {
        const db = new Database(file)
        db.exec(text)
        db.close()
      }),
    schema: "",
    tables: ""
  }
})

const postgres: Effect.Effect<Store, never, Scope.Scope> = Effect.map(bareDatabase, (url) => ({
  where: { cwd: scratch("upkeep-postgres"), env: { DATABASE_URL: url } },
  name: url.slice(url.indexOf("@") + 1),
  newest: postgresMigrations.length,
  run: (text) => Effect.asVoid(sql(url, text)),
  schema: "tapestry.",
  tables: "tapestry_base."
}))

const refused = (store: Store, ...args: ReadonlyArray<string>): string => {
  const { error } = json(store.where, 1, "store", ...args)
  assert.deepInclude(error, { _tag: "MarketStoreError", reason: "StoreSchemaMismatch" })
  assert.include(error.message, store.name)
  return error.message
}

for (const [title, made] of [
  ["market.sqlite", embedded],
  ["PostgreSQL", postgres]
] as const) {
  describe(`tapestry store: ${title}`, () => {
    it.live("status, version and stats say what is there", () =>
      Effect.gen(function* () {
        const store = yield* made
        const { name, newest, where } = store
        assert.strictEqual(ok(where, "store", "version"), "0\n")
        assert.deepInclude(json(where, 0, "store", "status"), { state: "absent" })
        assert.isFalse(existsSync(join(where.cwd, ".tapestry")))
        const { rowCount } = json(where, 0, "bars", ...spx, ...range)
        assert.strictEqual(ok(where, "store", "version"), `${newest}\n`)
        assert.deepStrictEqual(json(where, 0, "store", "version"), { version: newest, expected: newest })
        const status = json(where, 0, "store", "status")
        assert.deepInclude(status, { where: name, version: newest, expected: newest, state: "current" })
        assert.isTrue(status.migrations.every(({ state }: { readonly state: string }) => state === "applied"))
        assert.deepStrictEqual(status.kinds, [{ kind: "bar", series: 1, rows: rowCount, revisions: 0 }])
        assert.isAbove(status.bytes, 20_000)
        const text = ok(where, "store", "status")
        assert.include(text, name)
        assert.match(text, new RegExp(`schema +${newest}, as this release needs`))
        assert.match(text, new RegExp(`bar +1 +${rowCount} +0`))
        assert.notInclude(text, "\u001b")
        const stats = json(where, 0, "store", "stats")
        const key = "v1/sample/-/SPX/bar/1d/trade/regular/USD/raw"
        assert.strictEqual(stats.series.length, 1)
        const [series] = stats.series
        assert.deepInclude(series, { series: key, kind: "bar", rows: rowCount, storedRows: rowCount, revisions: 0 })
        assert.isAbove(series.responses, 0)
        assert.isAbove(series.intervals, 0)
        // The only series has the whole table.
        const bars = stats.tables.find(({ table }: { readonly table: string }) => table === "bars")
        assert.strictEqual(series.approximateBytes, bars.bytes)
        const listed = ok(where, "store", "stats")
        assert.include(listed, key)
        assert.notInclude(listed, "\u001b")
      })
    )

    it.live("a store of a newer release is told from ours, refused, and left alone", () =>
      Effect.gen(function* () {
        const store = yield* made
        ok(store.where, "bars", ...spx, ...range)
        yield* store.run(`insert into ${store.schema}migration_checksums (id, sha256) values (999, 'x')`)
        const status = json(store.where, 1, "store", "status")
        assert.deepInclude(status, { version: 999, state: "newer", kinds: null })
        assert.match(refused(store, "migrate"), /schema version 999.*newer one/)
        assert.match(refused(store, "stamp", String(store.newest), "--confirm"), /does not know/)
        assert.strictEqual(ok(store.where, "store", "version"), "999\n")
        assert.match(tapestry(store.where, "store", "status").stdout, /999 +- +unknown/)
      })
    )

    it.live("changed and lost records are stamped where the tables prove it, and only with --confirm", () =>
      Effect.gen(function* () {
        const store = yield* made
        const { newest, schema, where } = store
        ok(where, "bars", ...spx, ...range)
        const before = ok(where, "bars", ...spx, ...range, "--policy", "cacheOnly", "--format", "csv")
        yield* store.run(`update ${schema}migration_checksums set sha256 = 'x' where id = 1`)
        assert.deepInclude(json(where, 1, "store", "status"), { state: "foreign", kinds: null })
        assert.match(refused(store, "migrate"), /1 \(market\).*tapestry store stamp/)
        const looked = json(where, 0, "store", "stamp", String(newest))
        assert.deepInclude(looked, { recorded: [1], done: false })
        assert.match(ok(where, "store", "stamp", String(newest)), /--confirm would record 1/)
        json(where, 1, "store", "status")
        assert.deepInclude(json(where, 0, "store", "stamp", String(newest), "--confirm"), { recorded: [1], done: true })
        assert.deepInclude(json(where, 0, "store", "status"), { state: "current" })

        // As after a copy of the tables alone.
        yield* store.run(`drop table ${schema}migration_checksums`)
        yield* store.run(`drop table ${schema}migrations`)
        assert.deepInclude(json(where, 1, "store", "status"), { state: "unrecorded", version: 0 })
        assert.match(refused(store, "migrate"), /tapestry store stamp/)
        assert.match(ok(where, "store", "stamp", String(newest), "--confirm"), /recorded 1/)
        assert.deepInclude(json(where, 0, "store", "migrate"), { applied: [], version: newest })
        assert.match(ok(where, "store", "stamp", String(newest)), /nothing to do/)
        assert.strictEqual(ok(where, "bars", ...spx, ...range, "--policy", "cacheOnly", "--format", "csv"), before)
        // Another command that writes finds nothing to migrate either.
        ok(where, "bars", ...spx, "--from", "2019-07-01", "--to", "2019-08-01")
      })
    )

    it.live("tables that are not those of the version are not stamped", () =>
      Effect.gen(function* () {
        const store = yield* made
        const { newest, schema, tables, where } = store
        ok(where, "bars", ...spx, ...range)
        yield* store.run(`update ${schema}migration_checksums set sha256 = 'x' where id = 1`)
        // An index of one's own is nobody's business.
        yield* store.run(`create index mine on ${tables}series (vendor)`)
        assert.deepInclude(json(where, 0, "store", "stamp", String(newest)), { recorded: [1] })
        yield* store.run(`alter table ${tables}series add column extra integer`)
        assert.match(refused(store, "stamp", String(newest), "--confirm"), /extra.*Nothing was recorded/)
        yield* store.run(`alter table ${tables}series drop column extra`)
        yield* store.run(`drop index ${tables}series_by_symbol`)
        assert.match(refused(store, "stamp", String(newest), "--confirm"), /lacks index .*series_by_symbol/)
        assert.deepInclude(json(where, 1, "store", "status"), { state: "foreign" })
        const { error } = json(where, 1, "store", "stamp", "77", "--confirm")
        assert.match(error.message, /no schema version 77/)
        assert.strictEqual(tapestry(where, "store", "stamp").code, 2)
      })
    )
  })
}

/** Two processes that migrate at once: what each ran, and the version that both found at the end. */
const twoMigrators = (where: Where) =>
  Effect.promise(async () => {
    const both = await Promise.all([1, 2].map(() => ended(start(where, "store", "migrate", "--json"))))
    assert.deepStrictEqual(
      both.map(({ code }) => code),
      [0, 0],
      JSON.stringify(both)
    )
    return both.map(({ stdout }) => JSON.parse(stdout)).sort((a, b) => a.applied.length - b.applied.length)
  })

describe("tapestry store migrate", () => {
  it.live("an older market.sqlite: what is pending is shown, and run once by two at a time", () =>
    Effect.gen(function* () {
      const where = { cwd: scratch("upkeep-older") }
      const filename = join(where.cwd, ".tapestry", "market.sqlite")
      const newest = sqliteMigrations.length
      mkdirSync(join(where.cwd, ".tapestry"))
      const older = sqliteMigrations.filter(({ id }) => id < newest)
      yield* Effect.scoped(
        Effect.flatMap(open({ filename, synchronous: "NORMAL" }), (database) => migrate(database, older))
      )
      const status = json(where, 0, "store", "status")
      assert.deepInclude(status, { state: "behind", version: newest - 1, expected: newest, kinds: [] })
      const pending = sqliteMigrations.at(-1)
      assert.match(ok(where, "store", "status"), new RegExp(`${pending?.id} +${pending?.name} +pending`))
      const [second, first] = yield* twoMigrators(where)
      assert.deepInclude(first, { applied: [newest], version: newest })
      assert.deepInclude(second, { applied: [], version: newest })
      assert.match(ok(where, "store", "migrate"), /nothing to do/)
      // A stamp does not lower what is there.
      const { error } = json(where, 1, "store", "stamp", String(newest - 1), "--confirm")
      assert.match(error.message, /never lowers/)
    })
  )

  it.live("an empty database: run once by two at a time", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const where = { cwd: scratch("upkeep-empty"), env: { DATABASE_URL: url } }
      assert.match(ok(where, "store", "status"), /none yet.*tapestry store migrate/)
      const [second, first] = yield* twoMigrators(where)
      const ids = postgresMigrations.map(({ id }) => id)
      assert.deepInclude(first, { applied: ids, version: ids.length })
      assert.deepInclude(second, { applied: [], version: ids.length })
    })
  )

  it.live("an older database whose records are lost: stamped as what it is, and no further, then migrated", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const where = { cwd: scratch("upkeep-lost"), env: { DATABASE_URL: url } }
      yield* Effect.scoped(
        Effect.flatMap(openDatabase(Redacted.make(url), false), (database) =>
          migratePostgres(database, postgresMigrations.slice(0, 1))
        )
      )
      assert.deepInclude(json(where, 0, "store", "status"), { state: "behind", version: 1 })
      yield* sql(url, "drop table tapestry.migrations, tapestry.migration_checksums")
      const { error } = json(where, 1, "store", "stamp", "2", "--confirm")
      assert.match(error.message, /lacks .*Nothing was recorded/)
      assert.deepInclude(json(where, 0, "store", "stamp", "1", "--confirm"), { recorded: [1], done: true })
      assert.deepInclude(json(where, 0, "store", "status"), { state: "behind", version: 1 })
      const [second, first] = yield* twoMigrators(where)
      const rest = postgresMigrations.slice(1).map(({ id }) => id)
      assert.deepInclude(first, { applied: rest, version: postgresMigrations.length })
      assert.deepInclude(second, { applied: [], version: postgresMigrations.length })
      ok(where, "bars", ...spx, ...range)
    })
  )
})
