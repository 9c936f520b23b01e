/** `tapestry ibkr status`: of a gateway, of a port that takes connections and says nothing, and of none. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { scripted, welcome } from "../layers/adapters/ibkr/scriptedGateway.ts"
import { serving, until, watched } from "./serving.ts"
import { ended, ok, scratch, start, tapestry, type Where } from "./tapestry.ts"

const ran = (where: Where, ...args: ReadonlyArray<string>) => Effect.promise(() => ended(start(where, ...args)))

describe("tapestry ibkr status", () => {
  it.live("says what a gateway says, found by the environment", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({})
      const where = { cwd: scratch("ibkr"), env: { IB_PORT: String(gateway.port), IB_CLIENT_ID: "31" } }
      const text = yield* ran(where, "ibkr", "status")
      assert.strictEqual(text.code, 0, text.stderr)
      assert.match(text.stdout, new RegExp(`^gateway +127\\.0\\.0\\.1:${gateway.port}$`, "m"))
      assert.match(text.stdout, /^state +ready$/m)
      assert.match(text.stdout, /^accounts +DU1, DU2$/m)
      assert.match(text.stdout, /^since +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/m)
      assert.match(text.stdout, /^farm usfarm +market: ok$/m)
      assert.match(text.stdout, /^clock +within a second of ours$/m)
      assert.strictEqual(text.stderr, "")
      const document = yield* ran(where, "ibkr", "status", "--json")
      const { clockSkewMillis, ...rest } = JSON.parse(document.stdout)
      assert.isAtMost(Math.abs(clockSkewMillis), 1_500)
      assert.deepStrictEqual(rest, {
        gateway: `127.0.0.1:${gateway.port}`,
        state: "ready",
        problem: null,
        upstream: true,
        connection: 1,
        clientId: 31,
        serverVersion: 193,
        connectedAt: "20260410 12:00:00 EST",
        accounts: ["DU1", "DU2"],
        farms: [
          { name: "usfarm", serves: "market", state: "ok" },
          { name: "ushmds", serves: "history", state: "ok" },
          { name: "secdefnj", serves: "definitions", state: "ok" }
        ],
        lines: 0
      })
      assert.strictEqual(gateway.open(), 0)
    })
  )

  it.live("a flag is above the environment, and a line to IB that is down is told", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onStart: (talk) => {
          welcome(talk)
          talk.send(
            4,
            2,
            -1,
            2110,
            "Connectivity between TWS and server is broken. It will be restored automatically.",
            ""
          )
        }
      })
      const where = { cwd: scratch("ibkr"), env: { IB_PORT: "1" } }
      const { code, stderr, stdout } = yield* ran(where, "ibkr", "status", "--port", String(gateway.port))
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /^state +degraded: the gateway has lost its line to IB$/m)
    })
  )

  it.live("beside an owner it is the owner's session, with what streams over it", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const cwd = scratch("ibkr")
      const where = { cwd, env: { IB_PORT: String(gateway.port) } }
      const server = yield* Effect.promise(() => serving(where))
      // Nobody has needed it yet: it connects for the one who asks.
      const first = yield* ran({ cwd }, "ibkr", "status")
      assert.strictEqual(first.code, 0, first.stderr)
      assert.match(first.stdout, /^state +ready$/m)
      assert.match(first.stdout, /^connection +1\nlines +0\nstreams +0$/m)
      const quotes = watched({ cwd }, "quotes", "AAPL", "--vendor", "ibkr")
      yield* Effect.promise(() => until(() => quotes.stdout().includes('"event":"Quotes"'), quotes.stderr))
      const document = JSON.parse((yield* ran({ cwd }, "ibkr", "status", "--json")).stdout)
      const { accounts, clockSkewMillis: _, connectedAt, farms, ...rest } = document
      assert.isAbove(accounts.length, 0)
      assert.isAbove(farms.length, 0)
      assert.match(connectedAt, /^\d{8} /)
      assert.deepStrictEqual(rest, {
        gateway: `127.0.0.1:${gateway.port}`,
        state: "ready",
        problem: null,
        upstream: true,
        connection: 1,
        clientId: 7,
        serverVersion: 193,
        lines: 1,
        streams: 1,
        rehydrated: true
      })
      assert.strictEqual(gateway.clients().length, 1)
      // Not this command's, but one that is named.
      const other = yield* ran({ cwd }, "ibkr", "status", "--port", "1")
      assert.strictEqual(other.code, 1)
      quotes.child.kill("SIGINT")
      yield* Effect.promise(() => quotes.end)
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => server.end)
    })
  )

  it.live("an owner that has no gateway says so, and what it waits for", () =>
    Effect.gen(function* () {
      const cwd = scratch("ibkr")
      const server = yield* Effect.promise(() => serving({ cwd, env: { IB_PORT: "1" } }))
      const away = yield* ran({ cwd }, "ibkr", "status", "--json", "--timeout", "5")
      assert.strictEqual(away.code, 1)
      const { problem, state, ...rest } = JSON.parse(away.stdout)
      assert.include(["reconnecting", "connecting"], state)
      if (state === "reconnecting") assert.match(problem, /ECONNREFUSED/)
      assert.deepInclude(rest, { connection: 0, serverVersion: null, accounts: [], lines: 0 })
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => server.end)
    })
  )

  it.live("a server is not ready until its gateway is there, though nobody has asked for anything", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(scripted({}), (gateway) => gateway.port))
      const server = yield* Effect.promise(() => serving({ cwd: scratch("ibkr"), env: { IB_PORT: String(port) } }))
      const asked = async () => {
        const answer = await fetch(`${server.http}/readyz`)
        return { status: answer.status, text: await answer.text() }
      }
      const before = yield* Effect.promise(asked)
      assert.strictEqual(before.status, 503)
      assert.include(before.text, `{"name":"session ibkr","ok":false`)
      yield* GatewaySimulator.make({ port, clock: { speed: 1 } })
      yield* Effect.promise(() => until(async () => (await asked()).status === 200))
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => server.end)
    })
  )

  it.live("no gateway, and none that speaks", () =>
    Effect.gen(function* () {
      const where = { cwd: scratch("ibkr") }
      const port = yield* Effect.scoped(Effect.map(scripted({}), (gateway) => gateway.port))
      const none = yield* ran(where, "ibkr", "status", "--port", String(port), "--json")
      assert.strictEqual(none.code, 1)
      assert.deepStrictEqual(JSON.parse(none.stdout).error, {
        _tag: "IbkrError",
        reason: "Disconnected",
        message: `no connection to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`
      })
      const mute = yield* scripted({ onConnect: () => {} })
      const silent = yield* ran(where, "ibkr", "status", "--port", String(mute.port), "--timeout", "1")
      assert.strictEqual(silent.code, 1)
      assert.match(
        silent.stderr,
        new RegExp(`no gateway at 127.0.0.1:${mute.port} within 1 s: it is still handshaking`)
      )
    })
  )

  it("wrong values say which, and config says where they come from", () => {
    const where = (env: Record<string, string>) => ({ cwd: scratch("ibkr"), env })
    for (const [name, value] of [
      ["IB_PORT", "0"],
      ["IB_PORT", "http"],
      ["IB_CLIENT_ID", "-7"]
    ] as const) {
      const run = tapestry(where({ [name]: value }), "ibkr", "status")
      assert.strictEqual(run.code, 2)
      assert.include(run.stderr, `${name}=${value}: expected`)
    }
    const shown = ok(where({ IB_HOST: "gateway.example", IB_PORT: "4002" }), "config")
    assert.match(shown, /^ibkr\.host +environment +gateway\.example$/m)
    assert.match(shown, /^ibkr\.port +environment +4002$/m)
    assert.match(shown, /^ibkr\.clientId +default +7$/m)
    assert.match(shown, /^vendors\.ibkr +default +Interactive Brokers/m)
    assert.match(ok(where({}), "config"), /^ibkr\.port +default +4001$/m)
  })
})
