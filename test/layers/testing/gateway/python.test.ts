/** Clients that others wrote in Python, as they are, over a gateway whose time runs ten times as fast. They are run where they are installed. */
import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"

const has = (module: string): boolean => spawnSync("python3", ["-c", `import ${module}`]).status === 0

const libraries = ["ib_async", "ib_insync", "ibapi"].filter(has)
const absent = 3 - libraries.length
if (absent > 0) console.log(`skipped: ${absent} clients in Python of 3 (not installed: ib_async, ib_insync or ibapi)`)

const run = (script: string, port: number): Effect.Effect<Record<string, unknown>> =>
  Effect.callback((resume) => {
    const path = fileURLToPath(new URL(`clients/${script}`, import.meta.url))
    execFile("python3", [path, String(port)], { timeout: 50_000 }, (error, stdout, stderr) => {
      if (error === null) resume(Effect.sync(() => JSON.parse(stdout.trim().split("\n").at(-1) ?? "")))
      else resume(Effect.die(new Error(`${stdout}\n${stderr}`)))
    })
  })

const gatewayWithTime = GatewaySimulator.make({ clock: { speed: 10 } })

describe("clients in Python", () => {
  it.effect.skipIf(!libraries.includes("ib_async") && !libraries.includes("ib_insync"))(
    "ib_async or ib_insync has a whole day at version 178",
    () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayWithTime
        const said = yield* run("insync_session.py", gateway.port)
        assert.strictEqual(said.version, 178)
        assert.deepStrictEqual(said.accounts, ["DU1234567"])
        assert.strictEqual(said.positions, 6)
        assert.strictEqual(said.portfolio, 6)
        assert.deepStrictEqual(said.net, said.summary)
        assert.deepStrictEqual(said.qualified, [265598, 12087792])
        assert.deepStrictEqual(said.details, ["APPLE INC", 0.01, "US/Eastern"])
        assert.deepStrictEqual(said.chains, [
          ["SMART", 6, 41],
          ["CBOE", 6, 41],
          ["ISE", 6, 41]
        ])
        assert.deepStrictEqual(said.days, ["2026-04-06", "2026-04-07", "2026-04-08", "2026-04-09", "2026-04-10"])
        assert.isAtLeast(Number(said.ticks), 100)
        assert.deepStrictEqual(said.quote, [true, true, true, true])
        assert.deepStrictEqual([said.forex, said.greeks], [true, [true, true]])
        assert.deepStrictEqual(said.book, [5, 5])
        assert.deepStrictEqual([said.enough, said.profit], [true, true])
        assert.strictEqual(said.unknown, 0)
        const codes = (said.errors as ReadonlyArray<readonly [number, number]>).map(([, code]) => code)
        assert.deepStrictEqual(codes, [200])
      })
  )

  it.effect.skipIf(!libraries.includes("ibapi"))("ibapi has a whole day at its version", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayWithTime
      const said = yield* run("ibapi_session.py", gateway.port)
      assert.isAtLeast(Number(said.version), 176)
      assert.isAtMost(Number(said.version), 193)
      assert.strictEqual(said.accounts, "DU1234567")
      assert.deepStrictEqual(said.details, [265598, "APPLE INC", 0.01, "US/Eastern", "20260410:0930-20260410:1600"])
      assert.deepStrictEqual(said.chain, [6, 41])
      assert.isAtLeast(Number(said.ticks), 100)
      assert.strictEqual(said.providers, 3)
      const counts = said.counts as Record<string, number>
      assert.strictEqual(counts.positions, 6)
      assert.strictEqual(counts["bars 5"], 5)
      assert.strictEqual(counts.news, 5)
      assert.isAtLeast(counts.book ?? 0, 10)
      assert.isAtLeast(counts["price 20"] ?? 0, 6)
      assert.isAtLeast(counts["option 21"] ?? 0, 3)
      assert.deepStrictEqual(said.errors, [[30, 200]])
    })
  )
})
