/** A rebuild that is killed leaves each series as it was or as it was rebuilt, usable at once; the next one finishes. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { seriesDigest } from "../../../src/layers/market/seriesDigest.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { rebuiltAt, rebuiltRange, rebuiltVendor } from "./rebuiltVendor.ts"
import { barsOf, hour, moving, over, temporaryDirectory } from "./support.ts"

const child = fileURLToPath(new URL("./rebuildChild.ts", import.meta.url))

const run = (directory: string, crashPoint: string) =>
  spawnSync(process.execPath, [child, directory], {
    env: { TAPESTRY_CRASH_POINT: crashPoint },
    encoding: "utf8",
    timeout: 60_000
  })

describe("rebuild, killed", () => {
  for (const point of ["midCommit", "afterCommit", "midRebuild"]) {
    it.effect(
      `X7 killed at ${point}, the store is what it was, and a second rebuild is whole`,
      () =>
        Effect.gen(function* () {
          const directory = yield* temporaryDirectory
          const vendor = rebuiltVendor()
          const keys = [vendor.series("ALPHA", "1h"), vendor.series("BETA", "1h")]
          const services = over(directory, [vendor.adapter])
          const digests = Effect.gen(function* () {
            const market = yield* MarketStore
            return yield* Effect.forEach(keys, (key) => seriesDigest(market, key))
          })
          const before = yield* Effect.gen(function* () {
            const cache = yield* StitchingCache
            yield* TestClock.setTime(rebuiltAt)
            for (const series of keys) yield* moving(cache.read({ series, range: rebuiltRange }))
            yield* TestClock.setTime(rebuiltAt + hour)
            for (const series of keys) yield* moving(cache.refetch(series))
            return yield* digests
          }).pipe(Effect.provide(services))
          assert.strictEqual(before[0]?.revisions.count, 24)

          const killed = run(directory, point)
          assert.strictEqual(killed.signal, "SIGKILL", killed.stderr)
          yield* Effect.gen(function* () {
            assert.deepStrictEqual(yield* digests, before)
            const cache = yield* StitchingCache
            for (const series of keys) {
              const answer = yield* cache.read({ series, range: rebuiltRange, policy: "cacheOnly" })
              assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, rebuiltRange))
            }
          }).pipe(Effect.provide(services))

          const whole = run(directory, "")
          assert.strictEqual(whole.stdout, "2\n", whole.stderr)
          yield* Effect.gen(function* () {
            assert.deepStrictEqual(yield* digests, before)
            const cache = yield* StitchingCache
            const events = yield* Stream.runCollect(cache.rebuild({ check: true }))
            const last = events.at(-1)
            assert.strictEqual(last?._tag === "Finished" && last.differing, 0)
          }).pipe(Effect.provide(services))
        }),
      120_000
    )
  }
})
