/** Who may change the deployment: over every transport of a real server, with a token and without one. */
import { assert, describe, it, layer } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Layer, Redacted, Result } from "effect"
import { asAdmin } from "../../src/rpc/client/asAdmin.ts"
import { TapestryClient } from "../../src/rpc/client/TapestryClient.ts"
import * as AdminToken from "../../src/rpc/handlers/AdminToken.ts"
import { errorPath } from "../../src/rpc/handlers/errorPath.ts"
import type { Addresses } from "../../src/rpc/server/Served.ts"
import { adminToken, secret } from "./adminToken.ts"
import { World, layer as world } from "./handlers/world.ts"
import { servedWith, transports } from "./overTransports.ts"

const text = Redacted.value(secret)

/** What may stand in the header, and none of it is the token. */
const wrong: ReadonlyArray<string> = [
  "",
  "Bearer",
  "Bearer ",
  text,
  `Basic ${text}`,
  `Bearer ${text.slice(0, -1)}`,
  `Bearer ${text}x`,
  `Bearer ${text.toUpperCase()}`,
  `Bearer ${text}, Bearer ${text}`,
  `Bearer ${"x".repeat(10_000)}`,
  `Bearer ${Buffer.from(adminToken.digest).toString("hex")}`
]

/** The newest migration is not recorded any more, as in a store that was copied by hand; gives its number. */
const unrecorded = Effect.gen(function* () {
  const client = yield* TapestryClient
  const { expected } = yield* client["Store.version"]()
  const db = new Database(`${(yield* World).dataDir}/market.sqlite`)
  db.exec(
    `delete from migration_checksums where id = ${expected}; delete from migrations where migration_id = ${expected}`
  )
  db.close()
  assert.strictEqual((yield* client["Store.version"]()).state, "behind")
  return expected
})

const refusedAs = (headers: Readonly<Record<string, string>>, confirm = true) =>
  Effect.gen(function* () {
    const client = yield* TapestryClient
    const { expected } = yield* client["Store.version"]()
    const error = yield* Effect.flip(client["Admin.stamp"]({ version: expected, confirm }, { headers }))
    assert.notInclude(error.message, text)
    return errorPath(error)
  })

const serving = (
  connect: (addresses: Addresses) => Layer.Layer<TapestryClient>,
  options: Parameters<typeof servedWith>[0]
) => Layer.provideMerge(Layer.unwrap(Effect.map(servedWith(options), connect)), world())

for (const [name, connect] of Object.entries(transports)) {
  const guarded = name !== "Unix"

  layer(serving(connect, { adminToken }), { excludeTestServices: true })(`Admin over ${name}`, (it) => {
    it.effect("is done for who has the token, and not begun for anybody else", () =>
      Effect.gen(function* () {
        const client = yield* TapestryClient
        const version = yield* unrecorded
        if (guarded) {
          assert.strictEqual(yield* refusedAs({}), "AdminError/Unauthenticated")
          for (const authorization of wrong) {
            assert.strictEqual(yield* refusedAs({ authorization }), "AdminError/Unauthenticated", authorization)
          }
          assert.strictEqual((yield* client["Store.version"]()).state, "behind")
        }
        const stamp = client["Admin.stamp"]({ version, confirm: true })
        assert.deepStrictEqual(yield* guarded ? asAdmin(secret)(stamp) : stamp, { recorded: [version], done: true })
        assert.strictEqual((yield* client["Store.version"]()).state, "current")
      })
    )

    it.effect("takes the scheme in any case", () =>
      Effect.gen(function* () {
        const client = yield* TapestryClient
        const { applied } = yield* client["Admin.migrate"](undefined, { headers: { authorization: `bEARER  ${text}` } })
        assert.deepStrictEqual(applied, [])
      })
    )
  })

  layer(serving(connect, {}), { excludeTestServices: true })(`Admin over ${name}, without a token`, (it) => {
    it.effect(guarded ? "is off, whatever is presented" : "is for whoever may open the socket", () =>
      Effect.gen(function* () {
        const client = yield* TapestryClient
        if (!guarded) {
          assert.deepStrictEqual((yield* client["Admin.migrate"]()).applied, [])
          return
        }
        for (const authorization of ["", "Bearer ", `Bearer ${text}`, "Bearer changeme"]) {
          assert.strictEqual(yield* refusedAs({ authorization }), "AdminError/AdminOff")
        }
        const off = yield* Effect.flip(client["Admin.migrate"]())
        assert.match(off.message, /TAPESTRY_ADMIN_TOKEN or TAPESTRY_ADMIN_TOKEN_FILE/)
      })
    )
  })
}

describe("an admin token", () => {
  it("is compared as a hash, which is as long for every guess", () => {
    for (const length of [0, 1, 31, 32, 33, 4_096, 1_000_000]) {
      const guess = "x".repeat(length)
      assert.strictEqual(AdminToken.digestOf(guess).length, 32)
      // timingSafeEqual throws where its arguments differ in length.
      assert.isFalse(AdminToken.matches(adminToken, guess))
    }
    assert.isTrue(AdminToken.matches(adminToken, text))
    assert.deepStrictEqual(Object.keys(adminToken), ["digest"])
  })

  it("is long, and of characters that a header can carry", () => {
    const made = (token: string) => AdminToken.make(Redacted.make(token))
    for (const token of [
      "a".repeat(32),
      "0123456789abcdef0123456789ABCDEF",
      `${"a".repeat(42)}=`,
      "-._~+/".repeat(6)
    ]) {
      assert.isTrue(Result.isSuccess(made(token)), token)
    }
    for (const token of [
      "",
      "changeme",
      "a".repeat(31),
      `${"a".repeat(40)} b`,
      `${"a".repeat(40)}\n`,
      "ü".repeat(40)
    ]) {
      const refused = made(token)
      assert.isTrue(Result.isFailure(refused), token)
      if (Result.isSuccess(refused)) return
      assert.match(refused.failure.message, /openssl rand -hex 32/)
      if (token !== "") assert.notInclude(refused.failure.message, token)
    }
  })
})
