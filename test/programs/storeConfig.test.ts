/** Values that a tenant keeps in the store, by command. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { bareDatabase } from "../support/postgres.ts"
import { serving } from "./serving.ts"
import { json, ok, scratch, tapestry, type Where } from "./tapestry.ts"

const stores: ReadonlyArray<readonly [string, Effect.Effect<Where, never, Scope.Scope>]> = [
  ["market.sqlite", Effect.sync(() => ({ cwd: scratch("config-sqlite") }))],
  ["PostgreSQL", Effect.map(bareDatabase, (url) => ({ cwd: scratch("config-postgres"), env: { DATABASE_URL: url } }))]
]

for (const [name, made] of stores) {
  describe(`tapestry store config (${name})`, () => {
    it.live("sets, gets, lists and removes values, of one tenant and no other", () =>
      Effect.gen(function* () {
        const where = yield* made
        const config = (...args: ReadonlyArray<string>) => json(where, 0, "store", "config", ...args)
        assert.deepStrictEqual(config("list"), { config: [] })
        const set = config("set", "alerts/limits", '{"stale":15}', "--description", "for the night")
        assert.deepInclude(set.config, { key: "alerts/limits", value: { stale: 15 }, version: 1 })
        assert.match(ok(where, "store", "config", "set", "owner", "anna"), /owner is "anna", version 1/)
        assert.strictEqual(config("set", "text", "5", "--text").config.value, "5")
        assert.strictEqual(ok(where, "store", "config", "get", "alerts/limits"), '{"stale":15}\n')
        assert.deepStrictEqual(config("get", "alerts/limits"), set)
        assert.match(
          ok(where, "store", "config", "list", "--prefix", "alerts"),
          /alerts\/limits +1 .* for the night\n$/
        )
        ok(where, "tenants", "add", "acme")
        assert.deepStrictEqual(config("list", "--tenant", "acme"), { config: [] })
        config("set", "owner", '"bert"', "--tenant", "acme")
        assert.strictEqual(config("get", "owner").config.value, "anna")
        assert.deepStrictEqual(config("unset", "owner"), { key: "owner", removed: true })
        assert.deepStrictEqual(config("unset", "owner"), { key: "owner", removed: false })
        assert.strictEqual(config("get", "owner", "--tenant", "acme").config.value, "bert")
        ok(where, "tenants", "remove", "acme")
        ok(where, "tenants", "add", "acme")
        assert.deepStrictEqual(config("list", "--tenant", "acme"), { config: [] }, "values go with their tenant")
      })
    )

    it.live("says what is wrong: no such value, another version, a key that is none", () =>
      Effect.gen(function* () {
        const where = yield* made
        ok(where, "store", "config", "set", "k", "1")
        const none = tapestry(where, "store", "config", "get", "nothing")
        assert.deepInclude(none, { code: 1, stdout: "" })
        assert.match(none.stderr, /there is no value nothing/)
        assert.deepStrictEqual(json(where, 1, "store", "config", "get", "nothing"), { config: null })
        const changed = json(where, 1, "store", "config", "set", "k", "2", "--if-version", "7")
        assert.deepInclude(changed.error, { _tag: "ApiConfigError", reason: "ConfigChanged" })
        assert.match(changed.error.message, /k was to have version 7, and has 1/)
        assert.strictEqual(tapestry(where, "store", "config", "set", "a b", "1").code, 2)
      })
    )
  })
}

describe("tapestry store config beside an owner", () => {
  it("has the owner set and remove values, and reads beside it", async () => {
    const where = { cwd: scratch("config-owner") }
    const server = await serving(where)
    assert.strictEqual(json(where, 0, "store", "config", "set", "k", "[1]").config.version, 1)
    assert.deepStrictEqual(json(where, 0, "store", "config", "get", "k").config.value, [1])
    const changed = json(where, 1, "store", "config", "set", "k", "2", "--if-version", "7")
    assert.deepInclude(changed.error, { _tag: "ApiConfigError", reason: "ConfigChanged" })
    assert.isTrue(json(where, 0, "store", "config", "unset", "k").removed)
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.end).code, 0)
  }, 60_000)
})
