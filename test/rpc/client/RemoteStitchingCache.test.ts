/** The service over the RPC answers as the service itself does, errors included. */
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { sqliteUpkeep } from "../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import * as RemoteStitchingCache from "../../../src/rpc/client/RemoteStitchingCache.ts"
import * as UnixClient from "../../../src/rpc/client/UnixClient.ts"
import { StitchingCache, type StitchingCacheError } from "../../../src/services/StitchingCache.ts"
import * as InMemory from "../handlers/inMemory.ts"
import * as World from "../handlers/world.ts"

const series = World.seriesOf("ALPHA", "1h")
const range = World.between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const wider = World.between("2024-03-01T00:00:00Z", "2024-03-03T00:00:00Z")

const world = World.layer({ limits: { timeframes: { "1h": { maxSpan: 6 * 3_600_000, maxRows: null } } } })

const variants = {
  "rows over the RPC": RemoteStitchingCache.layer,
  "rows from the store": RemoteStitchingCache.layerBesideStore
}

/** The remote service, for as long as the test runs. */
const over = (remote: (typeof variants)[keyof typeof variants]) =>
  Effect.map(Layer.build(Layer.provide(remote, InMemory.client)), (context) => Context.get(context, StitchingCache))

const reasonOf = <A, R>(effect: Effect.Effect<A, StitchingCacheError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

for (const [name, remote] of Object.entries(variants)) {
  describe(`RemoteStitchingCache, ${name}`, () => {
    it.effect("answers as the service does", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(World.utc("2024-06-01T00:00:00Z"))
        const { dataDir: _, vendor } = yield* World.World
        const local = yield* StitchingCache
        const cache = yield* over(remote)
        assert.deepStrictEqual(yield* cache.resolve("model", { symbol: "alpha", kind: "bar", timeframe: "1h" }), series)
        const plan = yield* cache.plan({ series, range })
        assert.deepStrictEqual(plan, yield* local.plan({ series, range }))

        const steps: Array<number> = []
        const progress = ({ done }: { readonly done: number }) => Effect.sync(() => void steps.push(done))
        const answer = yield* cache.execute(plan, { progress })
        assert.deepInclude(answer, { rowCount: 24, rowsFromVendor: 24, requests: 4, sharedRequests: 0, range })
        assert.strictEqual(steps.at(-1), 4)
        assert.deepStrictEqual(yield* Stream.runCollect(answer.bars), yield* vendor.direct(series, range))

        const again = yield* cache.read({ series, range: wider })
        const known = yield* local.read({ series, range: wider })
        assert.strictEqual(again.requests, 4, "what is stored is not asked for")
        assert.deepStrictEqual(again.coverage, known.coverage)
        assert.deepStrictEqual(yield* Stream.runCollect(again.bars), yield* Stream.runCollect(known.bars))
        assert.deepStrictEqual(yield* cache.coverage(series, wider), yield* local.coverage(series, wider))
        assert.deepStrictEqual(yield* cache.explain(series, range.start), yield* local.explain(series, range.start))

        yield* TestClock.adjust("1 hour")
        const then = (yield* Clock.currentTimeMillis) - 7_200_000
        const before = yield* cache.read({ series, range }, { asOf: then, onMissing: "partial" })
        assert.deepInclude(before, { rowCount: 0, requests: 0 })
        assert.deepStrictEqual(yield* Stream.runCollect(before.bars), [])
        const executed = yield* cache.execute(plan, { asOf: then, onMissing: "partial" })
        assert.deepInclude(executed, { rowCount: 0, requests: 0 })

        yield* cache.invalidate(series, range)
        assert.strictEqual((yield* local.coverage(series, range))[0]?.state._tag, "Missing")
        assert.strictEqual((yield* cache.refetch(series)).requests, 4)
        assert.strictEqual(yield* cache.forget(series), 24, "what was invalidated is not fetched again")
      }).pipe(Effect.provide(world))
    )

    for (const adjustment of ["raw", "splits"] as const) {
      it.effect(
        `gives the rows of the report's generation, also when the series was refetched since (${adjustment})`,
        () =>
          Effect.gen(function* () {
            yield* TestClock.setTime(World.utc("2024-06-01T00:00:00Z"))
            const { correct, vendor } = yield* World.World
            const local = yield* StitchingCache
            const cache = yield* over(remote)
            const one = { ...series, adjustment }
            const answers = [yield* cache.read({ series: one, range }), yield* local.read({ series: one, range })]
            answers.push(yield* cache.read({ series: one, range, policy: "cacheOnly" }))
            const before = yield* vendor.direct(one, range)
            correct(range, World.utc("2024-06-01T01:00:00Z"))
            yield* TestClock.adjust("2 hours")
            const after = yield* vendor.direct(one, range)
            assert.notDeepEqual(after, before)
            const refetched = yield* cache.refetch(one)
            for (const answer of answers) {
              assert.deepStrictEqual(yield* Stream.runCollect(answer.bars), before)
              if (answer.generation === undefined) return assert.fail("the report has no generation")
              const again = yield* cache.read(
                { series: one, range, policy: "cacheOnly" },
                { generation: answer.generation }
              )
              assert.deepStrictEqual(again.coverage, answer.coverage)
              assert.deepStrictEqual(yield* Stream.runCollect(again.bars), before)
            }
            assert.deepStrictEqual(yield* Stream.runCollect(refetched.bars), after)
            assert.deepStrictEqual(yield* Stream.runCollect((yield* cache.read({ series: one, range })).bars), after)
            // What was shown when the report was made is gone: said, and not an answer without rows.
            yield* cache.forget(one)
            const gone = yield* reasonOf(Stream.runCollect(refetched.bars))
            assert.strictEqual(gone._tag === "MarketStoreError" ? gone.reason._tag : gone._tag, "GenerationGone")
          }).pipe(Effect.provide(world))
      )
    }

    it.live(
      "rows that retention has dropped since the report are said, and no gap; asked again, the range is missing",
      () =>
        Effect.gen(function* () {
          const { dataDir, vendor } = yield* World.World
          const cache = yield* over(remote)
          const asked = yield* cache.read({ series, range: wider })
          const then = yield* Clock.currentTimeMillis
          const known = yield* cache.read({ series, range: wider }, { asOf: then })
          const late = { start: range.end, end: wider.end }
          const later = yield* cache.read({ series, range: late })
          const { retain } = yield* sqliteUpkeep(join(dataDir, "market.sqlite"), false)
          assert.strictEqual((yield* retain({ kind: "bar", timeframe: null }, range.end, { apply: true })).rows, 24)
          for (const { bars } of [asked, known]) {
            const gone = yield* reasonOf(Stream.runCollect(bars))
            assert.strictEqual(gone._tag === "MarketStoreError" ? gone.reason._tag : gone._tag, "GenerationGone")
          }
          assert.deepStrictEqual(yield* Stream.runCollect(later.bars), yield* vendor.direct(series, late))
          for (const asOf of [{}, { asOf: then }]) {
            const again = yield* cache.read(
              { series, range: wider, policy: "cacheOnly" },
              { ...asOf, onMissing: "partial" }
            )
            assert.deepStrictEqual(
              again.coverage.map(({ end, state }) => [end <= range.end, state._tag]),
              [[true, "Missing"], ...Array.from({ length: 4 }, () => [false, "Covered"])]
            )
            assert.deepStrictEqual(yield* Stream.runCollect(again.bars), yield* vendor.direct(series, late))
          }
        }).pipe(Effect.scoped, Effect.provide(world))
    )

    it.effect("fails as the service does", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(World.utc("2024-06-01T00:00:00Z"))
        const local = yield* StitchingCache
        const cache = yield* over(remote)
        const unknown = { ...series, vendor: "nobody" }
        for (const ask of [
          (one: typeof local) => one.plan({ series: unknown, range }),
          (one: typeof local) => one.resolve("nobody", { symbol: "X", kind: "bar", timeframe: "1h" }),
          (one: typeof local) => one.read({ series: World.seriesOf("NOPE", "1h"), range }),
          (one: typeof local) => one.read({ series, range, policy: "cacheOnly" }),
          (one: typeof local) => one.explain(series, range.start),
          (one: typeof local) => one.forget(series),
          (one: typeof local) => one.refetch(unknown)
        ]) {
          assert.deepStrictEqual(
            yield* reasonOf<unknown, never>(ask(cache)),
            yield* reasonOf<unknown, never>(ask(local))
          )
        }
      }).pipe(Effect.provide(world))
    )
  })
}

describe("RemoteStitchingCache", () => {
  it.live("says when repeating the call can help: nobody is there", () =>
    Effect.gen(function* () {
      const cache = yield* StitchingCache
      const reason = yield* reasonOf(cache.plan({ series, range }))
      assert.deepInclude(reason, { _tag: "CacheUnavailable", again: true })
    }).pipe(
      Effect.provide(
        Layer.provide(
          RemoteStitchingCache.layer,
          UnixClient.layer({ path: join(tmpdir(), "tapestry-nobody-is-there.sock") })
        )
      )
    )
  )

  it.effect("and when it cannot: a mistake of the server's", () =>
    Effect.gen(function* () {
      const cache = yield* StitchingCache
      const reason = yield* reasonOf(cache.plan({ series, range }))
      assert.deepInclude(reason, { _tag: "CacheUnavailable", again: false })
    }).pipe(
      Effect.provide(
        RemoteStitchingCache.layer.pipe(
          Layer.provide(InMemory.client),
          Layer.provide(Layer.mock(StitchingCache, { plan: () => Effect.die(new Error("a secret")) })),
          Layer.provide(world)
        )
      )
    )
  )
})
