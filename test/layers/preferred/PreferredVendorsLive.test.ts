/** One series at several model vendors: who gives which part, and why. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { CoverageState } from "../../../src/domain/Coverage.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import * as PreferredVendorsLive from "../../../src/layers/preferred/PreferredVendorsLive.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { NotFound, Throttled, Unavailable } from "../../../src/services/Adapter.ts"
import { type PreferredQuery, PreferredVendors } from "../../../src/services/PreferredVendors.ts"
import { type RangeQuery, type ReadOptions, StitchingCache } from "../../../src/services/StitchingCache.ts"
import { fresh, moving } from "../stitching/support.ts"

const day = 86_400_000
const now = Date.UTC(2024, 5, 3, 12)
const from = Date.UTC(2024, 4, 1)
const days = (start: number, end: number): TimeRange => ({ start: from + start * day, end: from + end * day })
const month = days(0, 30)
const tenDays = { timeframes: { "1d": { maxSpan: 10 * day, maxRows: null } } } as const

const vendors = (...options: ReadonlyArray<ModelVendor.ModelVendorOptions>) => {
  const models = options.map((one, index) => ModelVendor.make({ name: `v${index + 1}`, seed: index + 1, ...one }))
  const services = PreferredVendorsLive.layer.pipe(Layer.provideMerge(fresh(...models.map(({ adapter }) => adapter))))
  const query: PreferredQuery = {
    vendors: models.map(({ adapter }) => ({ vendor: adapter.name, symbol: "ALPHA" })),
    query: { kind: "bar", timeframe: "1d" },
    range: month
  }
  return { models, services, query }
}

/** What a vendor throttles last: once it has, its account rests, and nothing that would follow is sent. */
const atEnd = ({ range }: ModelVendor.ModelRequest) => range.start >= from + 20 * day

const proofOf = ({ state }: { readonly state: CoverageState }) => ("response" in state ? state.response : null)

describe("PreferredVendors", () => {
  it.effect("X6: a part that the first vendor throttles comes from the next one, and its rows say so", () => {
    const { models, query, services } = vendors(
      {
        limits: tenDays,
        trouble: (request) => (atEnd(request) ? new Throttled({ retryAfter: 3_600_000 }) : null)
      },
      {}
    )
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const preferred = yield* PreferredVendors
      const answer = yield* moving(preferred.read(query))
      assert.deepStrictEqual(
        answer.pieces.map(({ end, refused, start, state, vendor }) => [
          (start - from) / day,
          (end - from) / day,
          vendor,
          state._tag,
          refused.map((one) => `${one.vendor} ${one.state._tag}`)
        ]),
        [
          [0, 10, "v1", "Covered", []],
          [10, 20, "v1", "Covered", []],
          [20, 30, "v2", "Covered", ["v1 Throttled"]]
        ]
      )
      const [first, second] = models
      if (first === undefined || second === undefined) return assert.fail("two vendors")
      const expected = [
        ...(yield* first.direct(first.series("ALPHA", "1d"), days(0, 20))).map((bar) => ({ ...bar, vendor: "v1" })),
        ...(yield* second.direct(second.series("ALPHA", "1d"), days(20, 30))).map((bar) => ({ ...bar, vendor: "v2" }))
      ]
      assert.deepStrictEqual(yield* Stream.runCollect(answer.bars), expected)
      assert.strictEqual(answer.rowCount, expected.length)
      // Each vendor's series has its own rows and no others.
      const cache = yield* StitchingCache
      const own = yield* cache.read(
        { series: second.series("ALPHA", "1d"), range: month, policy: "cacheOnly" },
        { onMissing: "partial" }
      )
      assert.strictEqual(own.rowCount, expected.filter(({ vendor }) => vendor === "v2").length)
    }).pipe(Effect.provide(services))
  })

  it.effect("X6: the reasons are the query's: what it does not name stays a hole", () => {
    const { query, services } = vendors({ forbidden: ["ALPHA"] }, {})
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const preferred = yield* PreferredVendors
      const strict = yield* moving(preferred.read({ ...query, on: ["Throttled"] }, { onMissing: "partial" }))
      assert.deepStrictEqual(
        strict.pieces.map(({ state, vendor }) => [vendor, state._tag]),
        [["v1", "NotEntitled"]]
      )
      assert.strictEqual(strict.rowCount, 0)
      const error = yield* Effect.flip(moving(preferred.read({ ...query, on: ["Throttled"] })))
      assert.strictEqual(error.reason._tag, "StitchingCacheError")
      const wide = yield* moving(preferred.read(query))
      assert.deepStrictEqual(
        wide.pieces.map(({ state, vendor }) => [vendor, state._tag]),
        [["v2", "Covered"]]
      )
    }).pipe(Effect.provide(services))
  })

  it.effect("X6: a symbol that nobody before knows comes from the third, and what none gives names them all", () => {
    const { query, services } = vendors(
      { symbols: ["OTHER"] },
      { symbols: ["OTHER"] },
      { limits: { earliest: from + 5 * day } }
    )
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const preferred = yield* PreferredVendors
      const answer = yield* moving(preferred.read(query, { onMissing: "partial" }))
      assert.deepStrictEqual(
        answer.pieces.map(({ refused, state, vendor }) => [vendor, state._tag, refused.map((one) => one.vendor)]),
        [
          ["v3", "Missing", ["v1", "v2"]],
          ["v3", "Covered", ["v1", "v2"]]
        ]
      )
    }).pipe(Effect.provide(services))
  })

  it.effect("X6: the plan gives each vendor what falls to it by what is known, and asks nobody", () => {
    const { models, query, services } = vendors({ symbols: ["OTHER"] }, {})
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const preferred = yield* PreferredVendors
      const before = yield* preferred.plan(query)
      assert.deepStrictEqual(
        before.plans.map(({ plan, vendor }) => [vendor, plan.requests.length]),
        [["v1", 1]]
      )
      yield* moving(preferred.read(query))
      const after = yield* preferred.plan({ ...query, range: days(0, 31) })
      assert.deepStrictEqual(
        after.plans.map(({ plan, refused, vendor }) => [
          vendor,
          plan.requests.length,
          refused.map(({ state }) => state._tag)
        ]),
        [
          ["v1", 1, []],
          ["v2", 0, ["NotFound"]]
        ]
      )
      const asked = yield* Effect.forEach(models, ({ log }) => log)
      assert.deepStrictEqual(
        asked.map(({ length }) => length),
        [1, 1]
      )
    }).pipe(Effect.provide(services))
  })

  it.effect(
    "X6: a vendor that is merely away keeps its part, unless the query says otherwise; its open breaker is a reason by itself",
    () => {
      const { query, services } = vendors({ trouble: () => new Unavailable({ message: "the line is dead" }) }, {})
      return Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const preferred = yield* PreferredVendors
        const patient = yield* moving(preferred.read(query, { onMissing: "partial" }))
        assert.deepStrictEqual(
          patient.pieces.map(({ state, vendor }) => [vendor, state._tag]),
          [["v1", "Missing"]]
        )
        const hasty = yield* moving(preferred.read({ ...query, on: ["Unavailable", "Throttled"] }))
        assert.deepStrictEqual(
          hasty.pieces.map(({ vendor }) => vendor),
          ["v2"]
        )
      }).pipe(Effect.provide(services))
    }
  )

  for (const adjustment of ["raw", "splits"] as const) {
    for (const refetchedAfter of [1, 2, 3]) {
      it.effect(
        `rows are of the generation that the pieces are of (${adjustment}, refetched after read ${refetchedAfter})`,
        () => {
          const moved = now + 60_000
          const corrections = [{ ...month, at: moved }]
          // The first vendor has the middle of the month only, so that the second one is read in two parts.
          const models = [
            ModelVendor.make({
              name: "v1",
              limits: tenDays,
              trouble: ({ range }) =>
                range.start < from + 8 * day || range.end > from + 22 * day ? new NotFound({ message: "none" }) : null
            }),
            ModelVendor.make({ name: "v2", seed: 2, corrections })
          ] as const
          const [, second] = models
          const series = second.series("ALPHA", "1d", adjustment)
          let reads = 0
          /** The real cache, and a refetch of the second vendor's series right after one of its reads. */
          const overtaking = Layer.effect(
            StitchingCache,
            Effect.map(StitchingCache, (cache) => ({
              ...cache,
              read: (query: RangeQuery, options?: ReadOptions) =>
                Effect.tap(cache.read(query, options), () =>
                  query.series.vendor === "v2" && ++reads === refetchedAfter
                    ? Effect.andThen(TestClock.setTime(moved), cache.refetch(series))
                    : Effect.void
                )
            }))
          )
          const adapters = models.map(({ adapter }) => adapter)
          return Effect.gen(function* () {
            yield* TestClock.setTime(now)
            const cache = yield* StitchingCache
            yield* cache.read({ series, range: month })
            const old = yield* second.direct(series, month)
            const proofs = new Set((yield* cache.coverage(series, month)).map(proofOf))
            const preferred = yield* PreferredVendors
            const answer = yield* moving(
              preferred.read({
                vendors: models.map(({ adapter }) => ({ vendor: adapter.name, symbol: "ALPHA" })),
                query: { kind: "bar", timeframe: "1d", adjustment },
                range: month
              })
            )
            assert.isAtLeast(reads, 2)
            const rows = (yield* Stream.runCollect(answer.bars)).filter(({ vendor }) => vendor === "v2")
            assert.isAtLeast(rows.length, 10)
            const now2 = yield* second.direct(series, month)
            const of = (bars: typeof old) => bars.filter(({ ts }) => rows.some((row) => row.ts === ts))
            const bare = rows.map(({ vendor: _, ...row }) => row)
            const told = answer.pieces
              .filter(({ vendor }) => vendor === "v2")
              .map((piece) => proofs.has(proofOf(piece)))
            assert.strictEqual(new Set(told).size, 1, "all parts are of one generation")
            assert.deepStrictEqual(bare, told[0] === true ? of(old) : of(now2), "rows as the pieces say")
          }).pipe(
            Effect.provide(
              PreferredVendorsLive.layer.pipe(Layer.provide(overtaking), Layer.provideMerge(fresh(...adapters)))
            )
          )
        }
      )
    }
  }
})
