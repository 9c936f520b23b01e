import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { bareDatabase, sql } from "../support/postgres.ts"
import { workerIn } from "../support/tenants.ts"
import { collected, json, ok, scratch, spx, start, tapestry, type Where } from "./tapestry.ts"

const range = ["--from", "2019-01-01", "--to", "2019-02-01"]
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const stores: ReadonlyArray<readonly [string, Effect.Effect<Where, never, Scope.Scope>]> = [
  ["market.sqlite", Effect.sync(() => ({ cwd: scratch("tenants-sqlite") }))],
  ["PostgreSQL", Effect.map(bareDatabase, (url) => ({ cwd: scratch("tenants-postgres"), env: { DATABASE_URL: url } }))]
]

for (const [name, made] of stores) {
  describe(`tapestry tenants (${name})`, () => {
    it.live("adds, lists, shows and removes them; the first one makes the tables", () =>
      Effect.gen(function* () {
        const where = yield* made
        assert.match(ok(where, "tenants", "list"), /no tenants: there is no store yet/)
        assert.deepStrictEqual(json(where, 0, "tenants", "list"), { tenants: [] })
        assert.match(ok(where, "tenants", "add", "acme"), /tenant acme is added; its id is [0-9a-f-]{36}/)
        const { tenant } = json(where, 0, "tenants", "add", "desk-2")
        assert.match(tenant.id, uuid)
        assert.deepInclude(tenant, { name: "desk-2", series: 0, rows: 0 })
        ok(where, "bars", ...spx, ...range)
        const { tenants } = json(where, 0, "tenants", "list")
        assert.deepStrictEqual(
          tenants.map((one: { name: string; series: number; rows: number }) => [one.name, one.series, one.rows]),
          [
            ["acme", 0, 0],
            ["default", 1, 21],
            ["desk-2", 0, 0]
          ]
        )
        assert.match(ok(where, "tenants", "list"), /default +00000000-0000-0000-0000-000000000001 +- +1 +21/)
        assert.match(ok(where, "tenants", "show", "default"), /added +with the store\n.*\nrows +21/)
        assert.deepStrictEqual(json(where, 0, "tenants", "show", "desk-2"), {
          tenant: tenants.find((one: { name: string }) => one.name === "desk-2")
        })
        assert.deepStrictEqual(json(where, 0, "tenants", "remove", "desk-2"), { removed: "desk-2" })
        assert.match(ok(where, "tenants", "remove", "acme"), /tenant acme is removed/)
        assert.strictEqual(json(where, 0, "tenants", "list").tenants.length, 1)
      })
    )

    it.live(
      "--tenant: rows and archive of one are nothing to another, and bytes that both asked for are kept once",
      () =>
        Effect.gen(function* () {
          const where = yield* made
          ok(where, "tenants", "add", "acme")
          ok(where, "tenants", "add", "bolt")
          const rows = (...tenant: ReadonlyArray<string>) =>
            json(where, 0, "series", "list", ...tenant).series.map((one: { rows: number }) => one.rows)
          const responses = (...tenant: ReadonlyArray<string>): ReadonlyArray<number> =>
            json(where, 0, "archive", "responses", ...tenant).responses.map((one: { id: number }) => one.id)
          ok(where, "bars", ...spx, ...range, "--tenant", "acme")
          assert.deepStrictEqual(rows("--tenant", "acme"), [21])
          assert.deepStrictEqual([rows(), rows("--tenant", "bolt")], [[], []])
          const [theirs] = responses("--tenant", "acme")
          assert.deepStrictEqual([responses(), responses("--tenant", "bolt")], [[], []])
          const denied = json(where, 1, "archive", "show", String(theirs)).error
          assert.deepInclude(denied, { _tag: "ProvenanceStoreError", reason: "RecordNotFound" })
          assert.strictEqual(tapestry(where, "archive", "cat", String(theirs), "--tenant", "bolt").code, 1)
          ok(where, "archive", "cat", String(theirs), "--tenant", "acme")
          // The other asks the vendor for itself, and finds nothing of the first in its cache.
          const other = { ...where, env: { ...where.env, TAPESTRY_TENANT: "bolt" } }
          ok(other, "bars", ...spx, ...range)
          assert.strictEqual(responses("--tenant", "bolt").length, 1)
          assert.strictEqual(json(where, 0, "archive", "stats").payloads, 1)
          ok(where, "series", "forget", ...spx, "--tenant", "acme")
          assert.deepStrictEqual([rows("--tenant", "acme"), rows("--tenant", "bolt")], [[], [21]])
          assert.deepStrictEqual(json(other, 0, "store", "stats").series.length, 1)
          ok(where, "rebuild", "--tenant", "bolt")
          assert.deepStrictEqual(rows("--tenant", "bolt"), [21])
          const { error } = json(where, 1, "tenants", "remove", "bolt")
          assert.deepInclude(error, { reason: "TenantInUse" })
          // The forgotten one has nothing left in the store.
          ok(where, "tenants", "remove", "acme")
          const gone = json(where, 1, "series", "list", "--tenant", "acme").error
          assert.deepInclude(gone, { _tag: "MarketStoreError", reason: "StoreTenantDenied" })
          assert.match(gone.message, /no tenant acme.*tapestry tenants add acme/)
          assert.strictEqual(tapestry(where, "series", "list", "--tenant", "A b").code, 2)
          const { values } = json(other, 0, "config")
          assert.deepInclude(values, { key: "tenant", value: "bolt", origin: "environment" })
        })
    )

    it.live("refuses names that are none, unknown or taken, and to remove what is in use", () =>
      Effect.gen(function* () {
        const where = yield* made
        for (const wrong of ["Acme", "a_b", "-a", "a b", ""]) {
          const run = tapestry(where, "tenants", "add", "--", wrong)
          assert.strictEqual(run.code, 2, `${wrong}\n${run.stdout}${run.stderr}`)
          assert.strictEqual(run.stdout, "")
          assert.match(run.stderr, /a tenant's name is 1 to 63 of a-z, 0-9 and -/)
        }
        ok(where, "tenants", "add", "acme")
        assert.deepInclude(json(where, 1, "tenants", "add", "acme").error, {
          _tag: "TenantsError",
          reason: "TenantExists"
        })
        const unknown = json(where, 1, "tenants", "show", "acne").error
        assert.deepInclude(unknown, { _tag: "TenantsError", reason: "TenantUnknown" })
        assert.match(unknown.message, /no tenant acne; did you mean acme\?/)
        assert.deepInclude(json(where, 1, "tenants", "remove", "nobody").error, { reason: "TenantUnknown" })
        const { error } = json(where, 1, "tenants", "remove", "default")
        assert.deepInclude(error, { _tag: "TenantsError", reason: "TenantInUse" })
        assert.strictEqual(tapestry(where, "tenants", "add").code, 2)
      })
    )
  })
}

describe("tapestry tenants", () => {
  it.live(
    "a command for another tenant than the owner's own is done by it for that one, also for one that is added meanwhile",
    () =>
      Effect.gen(function* () {
        const where = { cwd: scratch("tenants-owned") }
        ok(where, "tenants", "add", "acme")
        const serving = start(where, "serve", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0")
        const { end, stderr, stdout } = collected(serving)
        yield* Effect.promise(async () => {
          while (!/ready|serving/i.test(stdout() + stderr()) && serving.exitCode === null) {
            await new Promise((resolve) => setTimeout(resolve, 50))
          }
        })
        const seriesOf = (...tenant: ReadonlyArray<string>) => json(where, 0, "series", "list", ...tenant).series.length
        assert.strictEqual(json(where, 0, "bars", ...spx, ...range, "--tenant", "acme").rowCount, 21)
        assert.deepStrictEqual([seriesOf("--tenant", "acme"), seriesOf()], [1, 0])
        const { error } = json(where, 1, "bars", ...spx, ...range, "--tenant", "late")
        assert.deepInclude(error, { _tag: "TenantError", reason: "NoSuchTenant" })
        assert.match(error.message, /has no tenant late: .*tapestry tenants add late makes it/)
        ok(where, "tenants", "add", "late")
        assert.strictEqual(json(where, 0, "bars", ...spx, ...range, "--tenant", "late").rowCount, 21)
        ok(where, "series", "forget", ...spx, "--tenant", "acme")
        assert.deepStrictEqual([seriesOf("--tenant", "acme"), seriesOf("--tenant", "late"), seriesOf()], [0, 1, 0])
        // What an owner may have open is removed when there is none.
        assert.deepInclude(json(where, 1, "tenants", "remove", "acme").error, { _tag: "OwnerError" })
        serving.kill("SIGTERM")
        assert.strictEqual((yield* Effect.promise(() => end)).code, 0)
      })
  )

  it.live("a user who only works in the database lists and adds none, and is told what is missing", () =>
    Effect.gen(function* () {
      const url = yield* bareDatabase
      const owner = { cwd: scratch("tenants-owner"), env: { DATABASE_URL: url } }
      ok(owner, "tenants", "add", "acme")
      const where = { cwd: scratch("tenants-worker"), env: { DATABASE_URL: yield* workerIn(url) } }
      for (const words of [["list"], ["add", "bolt"], ["remove", "acme"]]) {
        const { error } = json(where, 1, "tenants", ...words)
        assert.deepInclude(error, { _tag: "MarketStoreError", reason: "StoreTenantDenied" })
        assert.match(
          error.message,
          /permission denied for schema tapestry_base.*is for the user who migrates it; give --store with that one/
        )
      }
      // What could be his own he may see, and of others no more than that they are not.
      const { tenant } = json(where, 0, "tenants", "show", "acme")
      assert.deepInclude(tenant, { name: "acme", series: 0, rows: 0 })
      assert.match(tenant.id, uuid)
      assert.deepInclude(json(where, 1, "tenants", "show", "bolt").error, { reason: "StoreTenantDenied" })
      // It works there all the same.
      ok(where, "bars", ...spx, ...range)
      assert.match(ok(where, "store", "status"), /as this release needs/)
      // What was counted through the views is this tenant's.
      assert.deepStrictEqual(json(where, 0, "store", "status").kinds, [
        { kind: "bar", series: 1, rows: 21, revisions: 0 }
      ])
      assert.strictEqual(json(where, 0, "store", "stats").series.length, 1)
      assert.deepInclude(json(where, 0, "tenants", "show", "default").tenant, { series: 1, rows: 21 })
      assert.deepStrictEqual(yield* sql(url, "select name from tapestry_base.tenants order by 1"), [
        ["acme"],
        ["default"]
      ])
    })
  )
})
