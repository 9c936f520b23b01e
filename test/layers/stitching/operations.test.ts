/** What was decided about a series is in the archive: a store that is lost, or died before it did it, comes to the same. */
import { rmSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, hour, moving, outline, over, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const ever = { start: -8_640_000_000_000_000, end: 8_640_000_000_000_000 }

/** All values of the range change an hour after noon. */
const corrected = () =>
  ModelVendor.make({
    corrections: [{ ...range, at: noon + hour }],
    limits: { timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } } }
  })

/** Everything that the store says of a series, with lineage. */
const contents = Effect.fnUntraced(function* (series: SeriesKey) {
  const market = yield* MarketStore
  const bars = yield* Stream.runCollect(market.bars(series, ever))
  return {
    rows: yield* Effect.forEach(bars, ({ ts }) => market.barAt(series, ts)),
    revisions: yield* Stream.runCollect(market.revisions(series, ever)),
    coverage: yield* market.coverage(series, ever)
  }
})

const lose = (directory: string) =>
  Effect.sync(() => {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${directory}/market.sqlite${end}`, { force: true })
  })

const reread = (series: SeriesKey) =>
  Effect.gen(function* () {
    const cache = yield* StitchingCache
    yield* cache.coverage(series, range)
    return yield* contents(series)
  })

const history = Effect.fnUntraced(function* (vendor: ModelVendor.ModelVendor) {
  yield* TestClock.setTime(noon)
  const cache = yield* StitchingCache
  const series = vendor.series("ALPHA", "1h")
  yield* moving(cache.read({ series, range }))
  yield* TestClock.setTime(noon + hour)
  yield* moving(cache.refetch(series))
  yield* TestClock.setTime(noon + 2 * hour)
  yield* cache.invalidate(series, between("2024-03-01T03:00:00Z", "2024-03-01T05:00:00Z"))
  yield* moving(cache.read({ series, range: between("2024-03-02T00:00:00Z", "2024-03-03T00:00:00Z") }))
  return series
})

describe("operations on series", () => {
  it.effect(
    "X7 a market store that is lost comes back with its published refetch and its invalidation, asking nobody",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const vendor = corrected()
        const { before, series } = yield* Effect.gen(function* () {
          const series = yield* history(vendor)
          return { series, before: yield* contents(series) }
        }).pipe(Effect.provide(over(directory, [vendor.adapter])))
        assert.strictEqual(before.revisions.length, 24)
        const asked = (yield* vendor.log).length
        yield* lose(directory)
        const after = yield* reread(series).pipe(Effect.provide(over(directory, [vendor.adapter])))
        assert.deepStrictEqual(after, before)
        assert.strictEqual((yield* vendor.log).length, asked)
      })
  )

  it.effect("X7 a forgotten series that is asked for again is what it was", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const vendor = corrected()
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const archive = yield* ProvenanceStore
        const series = yield* history(vendor)
        const before = yield* contents(series)
        assert.strictEqual(yield* cache.forget(series), 48)
        assert.deepStrictEqual(yield* contents(series), { rows: [], revisions: [], coverage: [] })
        assert.deepStrictEqual(yield* reread(series), before)
        const kinds = (yield* archive.operationsOf("v1/model/-/ALPHA/bar/1h/trade/all/-/raw", 0)).map(
          ({ change }) => change._tag
        )
        assert.deepStrictEqual(kinds, ["Published", "Invalidated", "Forgotten", "Recalled"])
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
    })
  )

  for (const operation of ["refetch", "invalidate", "forget"] as const) {
    it.effect(`X7 a process that dies when a ${operation} is recorded and not done: the next plan does it`, () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const vendor = corrected()
        const services = over(directory, [vendor.adapter])
        const series = vendor.series("ALPHA", "1h")
        yield* Effect.gen(function* () {
          const cache = yield* StitchingCache
          yield* TestClock.setTime(noon)
          yield* moving(cache.read({ series, range }))
          yield* TestClock.setTime(noon + hour)
          const act =
            operation === "refetch"
              ? moving(cache.refetch(series))
              : operation === "forget"
                ? cache.forget(series)
                : cache.invalidate(series, range)
          const exit = yield* Effect.exit(act)
          assert.strictEqual(exit._tag, "Failure")
        }).pipe(
          Effect.provide(services),
          Effect.provide(
            Layer.succeed(FaultPoint, (point) => {
              if (point === "operationRecorded") throw new Error("the process died")
            })
          )
        )
        const asked = (yield* vendor.log).length
        yield* Effect.gen(function* () {
          const cache = yield* StitchingCache
          const coverage = yield* cache.coverage(series, range)
          const bars = yield* barsOf(
            yield* cache.read({ series, range, policy: "cacheOnly" }, { onMissing: "partial" })
          )
          const at = operation === "refetch" ? noon + hour : noon
          assert.deepStrictEqual(bars, yield* vendor.direct(series, range, at))
          const whole = operation === "invalidate" ? "Missing" : "Covered"
          assert.isTrue(
            outline(coverage).every((line) => line.endsWith(whole)),
            outline(coverage).join("\n")
          )
        }).pipe(Effect.provide(services))
        assert.strictEqual((yield* vendor.log).length, asked)
      })
    )
  }
})
