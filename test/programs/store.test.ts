/** The built command line with its rows in PostgreSQL: the same commands, the same output, and what to do when it is not there. */
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { bareDatabase, sql } from "../support/postgres.ts"
import { serving } from "./serving.ts"
import { json, ok, scratch, spx, tapestry, type Where } from "./tapestry.ts"

const range = ["--from", "2019-01-01", "--to", "2019-07-01"]

/** What is not an instant, and no id of a process. */
const lasting = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?/g, "<instant>")
    .replace(/"(elapsedMillis)":\d+/g, '"$1":0')

const story = [
  ["bars", ...spx, ...range],
  ["bars", ...spx, ...range, "--format", "csv"],
  ["coverage", ...spx, "--from", "2019-01-01", "--to", "2019-08-01"],
  ["explain", ...spx, "--at", "2019-02-05"],
  ["series", "list"],
  ["rebuild", "--check"],
  ["rebuild"],
  ["bars", ...spx, ...range, "--policy", "cacheOnly", "--json"]
]

const at = (name: string, env: Readonly<Record<string, string>> = {}): Where => ({ cwd: scratch(name), env })

describe("PostgreSQL as the store of the command line", () => {
  it.effect("DATABASE_URL selects it, and every command says what it says over the embedded store", () =>
    Effect.gen(function* () {
      const embedded = at("embedded")
      const url = yield* bareDatabase
      const where = at("postgres", { DATABASE_URL: url })
      for (const args of story) {
        assert.strictEqual(lasting(ok(where, ...args)), lasting(ok(embedded, ...args)), args.join(" "))
      }
      assert.isFalse(existsSync(join(where.cwd, ".tapestry", "market.sqlite")))
      assert.isTrue(existsSync(join(embedded.cwd, ".tapestry", "market.sqlite")))
      const counted = yield* sql(url, "select count(*)::int from tapestry_base.bars")
      assert.isAbove(Number(counted[0]?.[0]), 100)
      const settings = json(where, 0, "config").values
      const store = settings.find(({ key }: { readonly key: string }) => key === "store")
      assert.deepStrictEqual(store, {
        key: "store",
        value: url.slice(url.indexOf("@") + 1),
        origin: "environment"
      })
    })
  )

  it.effect("the archive fills an empty database, and another data directory is refused by it", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const where = at("moved")
      const before = ok(where, "bars", ...spx, ...range, "--format", "csv")
      const moved = ["--store", url]
      const unread = json(where, 1, "coverage", ...spx, ...range, ...moved)
      assert.deepInclude(unread.error, { _tag: "MarketStoreError", reason: "StoreSchemaMismatch" })
      assert.match(unread.error.message, /tapestry rebuild/)
      ok(where, "rebuild", ...moved)
      assert.strictEqual(
        ok(where, "bars", ...spx, ...range, "--policy", "cacheOnly", "--format", "csv", ...moved),
        before
      )
      const plan = json(where, 0, "bars", ...spx, ...range, "--plan", ...moved)
      assert.deepInclude(plan, { requests: 0 })
      // sqlite is a word for the data directory, also where the environment names a database.
      const again = { ...where, env: { DATABASE_URL: "postgres://nobody@127.0.0.1:1/nowhere" } }
      assert.strictEqual(ok(again, "bars", ...spx, ...range, "--format", "csv", "--store", "sqlite"), before)
      const other = json(at("other"), 1, "bars", ...spx, ...range, ...moved)
      assert.deepInclude(other.error, { _tag: "ProvenanceStoreError", reason: "ArchiveLost" })
      // Also one whose archive is as long: its answers are others, whatever their numbers.
      const longer = at("longer")
      ok(longer, "bars", ...spx, ...range)
      ok(longer, "bars", ...spx, ...range, "--policy", "force")
      const mixed = json(longer, 1, "bars", ...spx, ...range, ...moved)
      assert.deepInclude(mixed.error, { _tag: "ProvenanceStoreError", reason: "ArchiveLost" })
      assert.match(mixed.error.message, /another archive/)
    })
  )

  it.effect(
    "records of every command: ingested, dumped, ingested again, and made from the archive as over the embedded store",
    () =>
      Effect.gen(function* () {
        const url = yield* bareDatabase
        const embedded = at("embedded-records")
        const where = at("postgres-records", { DATABASE_URL: url })
        const lines = ["ts,venue,sequence,price,size"]
        for (let index = 0; index < 30_000; index++) {
          const second = new Date(1_700_000_000_000 + Math.floor(index / 50) * 1_000).toISOString().slice(0, 19)
          const nanos = String(index % 50).padStart(9, "0")
          // A third of them without a number, some of those alike in everything.
          const numbered = index % 3 === 0 ? "" : String(index)
          lines.push(
            `${second}.${nanos}Z,XNAS,${numbered},${100 + (index % 7) / 8},${index % 100}`,
            ...(index % 600 === 1 ? [lines.at(-1) ?? ""] : [])
          )
        }
        const news = [
          "ts,title,url",
          '2024-01-02T10:00:00Z,"He said ""no"", ü🚀",',
          "2024-01-02T10:00:00Z,b,https://example.org/"
        ]
        const of = ["--vendor", "acme", "--symbol", "spy"]
        const files = [
          ["trades", "tape.csv", `${lines.join("\n")}\n`],
          ["news", "news.csv", `${news.join("\n")}\n`]
        ] as const
        for (const [kind, file, body] of files) {
          for (const { cwd } of [embedded, where]) writeFileSync(join(cwd, file), body)
          const done = json(where, 0, "ingest", kind, file, ...of)
          const inMemory = json(embedded, 0, "ingest", kind, file, ...of)
          assert.strictEqual(done.inserted, inMemory.inserted)
          assert.strictEqual(done.inserted, kind === "news" ? 2 : done.rows)
          assert.strictEqual(done.rejected, 0)
          const dumped = ok(where, "dump", kind, "-")
          assert.isTrue(dumped === ok(embedded, "dump", kind, "-"), kind)
          // What was written is read again: the same rows, none new.
          ok(where, "dump", kind, "back.csv")
          assert.deepInclude(json(where, 0, "ingest", kind, "back.csv"), { inserted: 0, rejected: 0 })
          assert.deepInclude(json(where, 0, "ingest", kind, file, ...of), { inserted: 0 })
          assert.isTrue(ok(where, "dump", kind, "-") === dumped, `${kind} again`)
        }
        const before = files.map(([kind]) => ok(where, "dump", kind, "-"))
        const other = yield* bareDatabase
        ok(where, "rebuild", "--store", other)
        assert.isTrue(before.join() === files.map(([kind]) => ok(where, "dump", kind, "-", "--store", other)).join())
        const counted = yield* sql(other, "select count(*)::int from tapestry_base.trades")
        assert.strictEqual(Number(counted[0]?.[0]), lines.length - 1)
      })
  )

  it.effect("a database that is not there: an error that names it and what to do, never the password", () =>
    Effect.sync(() => {
      const where = at("dead", { DATABASE_URL: "postgres://joe:geheim@127.0.0.1:1/prices" })
      for (const args of [["bars", ...spx, ...range], ["doctor"], ["config"], ["--help"]]) {
        const { stderr, stdout } = tapestry(where, ...args)
        assert.notInclude(stdout + stderr, "geheim", args.join(" "))
      }
      const { error } = json(where, 1, "bars", ...spx, ...range)
      assert.deepInclude(error, { _tag: "MarketStoreError", reason: "StoreUnavailable" })
      assert.match(error.message, /127\.0\.0\.1:1\/prices.*ECONNREFUSED.*pg_isready/)
      const wrong = tapestry(where, "bars", ...spx, ...range, "--store", "mysql://joe:geheim@h/d")
      assert.deepStrictEqual([wrong.code, wrong.stdout], [2, ""])
      assert.notInclude(wrong.stderr, "geheim")
    })
  )

  it.live("a command asks the owner of the directory only when both keep the rows in one place", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const where = at("owned")
      const owner = yield* Effect.promise(() => serving(where, "--store", url, "--http", "off"))
      const theirs = ok(where, "bars", ...spx, ...range, "--format", "csv", "--store", url)
      assert.match(theirs, /2019-01-02/)
      const { error } = json(where, 1, "bars", ...spx, ...range)
      assert.deepInclude(error, { _tag: "OwnerError", reason: "OtherStore" })
      assert.match(error.message, /--store/)
      owner.child.kill("SIGTERM")
      assert.strictEqual((yield* Effect.promise(() => owner.end)).code, 0)
    })
  )
})
