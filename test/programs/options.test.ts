/** `tapestry options` against a simulated gateway: alone, beside an owner, and with a pace that the environment gives. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { serving } from "./serving.ts"
import { ended, ok, scratch, start, tapestry, type Where } from "./tapestry.ts"

const ran = (where: Where, ...args: ReadonlyArray<string>) => Effect.promise(() => ended(start(where, ...args)))
type Row = Record<"bid" | "ask" | "iv" | "delta" | "gamma" | "theta" | "vega" | "openInterest" | "strike", number> & {
  readonly right: "C" | "P"
  readonly expiry: string
}

/** One that the simulated market has in its own time. */
const date = "2026-05-15"

describe("tapestry options", () => {
  it.live("as they stand at the gateway, each with its greeks and open interest, none left open there", () =>
    Effect.gen(function* () {
      // The nearest date is that of this machine's clock.
      const gateway = yield* GatewaySimulator.make({ start: Date.now(), hours: "always" })
      const where = { cwd: scratch("options"), env: { IB_PORT: String(gateway.port) } }
      const run = yield* ran(where, "options", "AAPL", "--max-contracts", "8", "--json")
      assert.strictEqual(run.code, 0, run.stderr)
      const { expiry, multiplier, omitted, rows, spot, underlying, vendor } = JSON.parse(run.stdout)
      assert.deepStrictEqual([vendor, underlying, multiplier, omitted], ["ibkr", "AAPL", 100, []])
      assert.strictEqual(rows.length, 8)
      for (const row of rows as ReadonlyArray<Row>) {
        assert.strictEqual(row.expiry, expiry)
        assert.isAtMost(Math.abs(row.strike - spot), 10)
        assert.isTrue(row.bid > 0 && row.ask >= row.bid)
        assert.isTrue(row.iv > 0.05 && row.gamma > 0 && row.vega > 0 && row.theta < 0)
        assert.strictEqual(Math.sign(row.delta), row.right === "C" ? 1 : -1)
        assert.isAtLeast(row.openInterest, 0)
      }
      // One for the underlying, and one for each.
      const archived = JSON.parse(ok(where, "archive", "requests", "--json")).requests
      assert.strictEqual(archived.filter((one: { kind: string }) => one.kind === "quote").length, 9)
      const table = yield* ran(where, "options", "AAPL", "--max-contracts", "4", "--expiry", expiry.replaceAll("-", ""))
      assert.strictEqual(table.code, 0, table.stderr)
      const [title = "", sides = "", header = ""] = table.stdout.split("\n")
      assert.match(title, new RegExp(`^AAPL  ${expiry}  at [0-9.]+ USD  SMART  100 a contract$`))
      assert.match(sides, /^ +CALLS +PUTS$/)
      assert.match(header, /last +bid +ask +strike +bid +ask +last/)
      assert.match(table.stdout, /^─+ [0-9.]+ ─+$/m)
      assert.match(table.stdout, /^4 contracts$/m)
    })
  )

  it.live("beside an owner by its session, which holds no line for them afterwards", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const cwd = scratch("options")
      const server = yield* Effect.promise(() =>
        serving({ cwd, env: { IB_PORT: String(gateway.port), OPTIONS_MAX_CONTRACTS: "6" } })
      )
      const run = yield* ran({ cwd }, "options", "AAPL", "--expiry", date, "--json")
      assert.strictEqual(run.code, 0, run.stderr)
      // What the owner was started with holds.
      assert.strictEqual(JSON.parse(run.stdout).rows.length, 6)
      const many = yield* ran({ cwd }, "options", "AAPL", "--max-contracts", "7", "--json")
      assert.strictEqual(many.code, 1)
      assert.deepInclude(JSON.parse(many.stdout).error, { _tag: "ContractLookupsError", reason: "TooManyContracts" })
      const past = yield* ran({ cwd }, "options", "AAPL", "--expiry", "2020-01-17", "--json")
      assert.deepInclude(JSON.parse(past.stdout).error, { reason: "ExpiryNotListed" })
      const [client, ...others] = gateway.clients()
      assert.strictEqual(others.length, 0)
      assert.deepStrictEqual(client?.open, [])
      server.child.kill("SIGTERM")
      yield* Effect.promise(() => server.end)
    })
  )

  it.live("what the account may not have is said", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      yield* gateway.inject({ _tag: "Denied", symbol: "AAPL", active: true })
      const where = { cwd: scratch("options"), env: { IB_PORT: String(gateway.port) } }
      const run = yield* ran(where, "options", "AAPL", "--expiry", date, "--json")
      assert.strictEqual(run.code, 1)
      assert.deepInclude(JSON.parse(run.stdout).error, { _tag: "VendorError", reason: "NotEntitled" })
      const none = yield* ran(where, "options", "EUR.USD", "--json")
      assert.deepInclude(JSON.parse(none.stdout).error, { reason: "ExpiryNotListed" })
    })
  )

  it("wrong values say which, and config says where they come from", () => {
    const cwd = scratch("options")
    for (const [name, value] of [
      ["OPTIONS_SEMAPHORE_SIZE", "0"],
      ["OPTIONS_SEMAPHORE_SIZE", "2.5"],
      ["OPTIONS_BASE_DELAY", "-1"],
      ["OPTIONS_BACKOFF_MULTIPLIER", "0.5"],
      ["OPTIONS_MAX_CONTRACTS", "many"]
    ] as const) {
      const run = tapestry({ cwd, env: { [name]: value } }, "options", "ALPHA")
      assert.strictEqual(run.code, 2)
      assert.include(run.stderr, `${name}=${value}: expected`)
    }
    for (const args of [
      ["--expiry", "2026-13-01"],
      ["--expiry", "soon"],
      ["--max-contracts", "0"]
    ]) {
      assert.strictEqual(tapestry({ cwd }, "options", "ALPHA", ...args).code, 2)
    }
    const shown = ok({ cwd, env: { OPTIONS_BASE_DELAY: ".25", OPTIONS_SEMAPHORE_SIZE: "3" } }, "config")
    assert.match(shown, /^options\.concurrency +environment +3$/m)
    assert.match(shown, /^options\.baseDelay +environment +250 ms$/m)
    assert.match(shown, /^options\.backoffMultiplier +default +1\.5$/m)
    assert.match(shown, /^options\.maxContracts +default +50$/m)
    assert.match(tapestry({ cwd }, "options", "ALPHA").stderr, /no vendor of the configuration has options/)
  })
})
