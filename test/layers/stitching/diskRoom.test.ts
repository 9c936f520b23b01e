/** A fetch that is forecast not to fit on the disk is refused before anybody is asked; what is stored is read on any disk. */
import { statSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { assumedRowBytes, forecastBytes, storeRowBytes } from "../../../src/layers/stitching/checkRoom.ts"
import { DiskRoom, diskRoomOf } from "../../../src/layers/stitching/DiskRoom.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { StitchingCache, type StitchingCacheError } from "../../../src/services/StitchingCache.ts"
import { between, day, fresh, hour, minute, over, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-20T12:00Z")
const range = between("2024-03-04", "2024-03-05")
const reserve = 1_000_000

/** A disk of which a test says how much is free, and learns how often that was looked at. */
const makeDisk = (free: number | null) => {
  const disk = { free, looks: 0 }
  const room = {
    directory: "/data",
    reserve,
    free: Effect.sync(() => {
      disk.looks++
      return disk.free
    })
  }
  return { disk, layer: Layer.succeed(DiskRoom, room) }
}

const refusal = (error: StitchingCacheError) => {
  if (error.reason._tag !== "DiskTooFull") return assert.fail(`it failed with ${error.message}`)
  return error.reason
}

describe("room on the disk", () => {
  it.effect(
    "a fetch that does not fit is refused with what it needs, and no request is sent; one that fits goes on",
    () => {
      const vendor = ModelVendor.make()
      const { disk, layer } = makeDisk(reserve)
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1m")
        const error = yield* Effect.flip(cache.read({ series, range }, { onMissing: "partial" }))
        const { directory, freeBytes, neededBytes, reserveBytes } = refusal(error)
        const expected = 1_440 * (assumedRowBytes + storeRowBytes)
        assert.deepStrictEqual([directory, freeBytes, neededBytes, reserveBytes], ["/data", reserve, expected, reserve])
        assert.match(error.message, /disk of \/data is too full.*need 351\.6 KiB.*limits\.minFree.*free some space/)
        assert.strictEqual((yield* vendor.log).length, 0)
        disk.free = reserve + expected - 1
        assert.strictEqual((yield* Effect.flip(cache.read({ series, range }))).reason._tag, "DiskTooFull")
        disk.free = reserve + expected
        assert.strictEqual((yield* cache.read({ series, range })).rowCount, 1_440)
      }).pipe(Effect.provide(Layer.provide(fresh(vendor.adapter), layer)))
    }
  )

  it.effect(
    "what is covered is read however full the disk is, and nobody looks; a plan that fetches looks once",
    () => {
      const vendor = ModelVendor.make()
      const { disk, layer } = makeDisk(100 * reserve)
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1m")
        yield* cache.read({ series, range: { start: range.start, end: range.end + 5 * day } })
        assert.strictEqual(disk.looks, 1)
        disk.free = 0
        assert.strictEqual((yield* cache.read({ series, range })).rowCount, 1_440)
        yield* cache.plan({ series, range: { start: range.start - day, end: range.end } })
        assert.strictEqual(disk.looks, 1)
        const asked = (yield* vendor.log).length
        assert.strictEqual((yield* Effect.flip(cache.refetch(series))).reason._tag, "DiskTooFull")
        assert.strictEqual((yield* vendor.log).length, asked)
        assert.strictEqual(
          (yield* cache.read({ series, range })).rowCount,
          1_440,
          "a refetch that was refused changed nothing"
        )
      }).pipe(Effect.provide(Layer.provide(fresh(vendor.adapter), layer)))
    }
  )

  it.effect(
    "the forecast goes by what answers took so far: of the series, or of another one of its vendor and timeframe",
    () => {
      const vendor = ModelVendor.make()
      const { disk, layer } = makeDisk(100 * reserve)
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        yield* cache.read({ series: vendor.series("ALPHA", "1m"), range })
        disk.free = reserve
        const next = between("2024-03-05", "2024-03-06")
        const needs = (symbol: string, timeframe: "1m" | "1h") =>
          Effect.map(
            Effect.flip(cache.read({ series: vendor.series(symbol, timeframe), range: next })),
            (error) => refusal(error).neededBytes
          )
        const own = yield* needs("ALPHA", "1m")
        assert.notStrictEqual(own, 1_440 * (assumedRowBytes + storeRowBytes))
        assert.strictEqual(yield* needs("BETA", "1m"), own)
        assert.strictEqual(yield* needs("ALPHA", "1h"), 24 * (assumedRowBytes + storeRowBytes))
      }).pipe(Effect.provide(Layer.provide(fresh(vendor.adapter), layer)))
    }
  )

  it("an answer that was a whole file does not make a long range look huge, and equal bytes count once", () => {
    const vendor = ModelVendor.make()
    const series = {
      key: vendor.series("A", "1m"),
      text: "",
      timeframe: "1m" as const,
      calendar: null,
      closedIn: () => []
    }
    const file = { sha256: "f", storedBytes: 50_000_000, range: { start: 0, end: hour } }
    const year = [{ start: 0, end: 365 * day }]
    const rows = 365 * 24 * 60
    assert.strictEqual(
      forecastBytes(series, year, [file]),
      Math.max(50_000_000, rows * assumedRowBytes) + rows * storeRowBytes
    )
    const short = [{ start: 0, end: 10 * minute }]
    assert.strictEqual(
      forecastBytes(series, short, [file, { ...file, range: { start: hour, end: 2 * hour } }]),
      Math.ceil((10 * 50_000_000) / 120) + 10 * storeRowBytes
    )
    const half = { ...series, closedIn: () => [{ start: 0, end: 5 * minute }] }
    assert.strictEqual(forecastBytes(half, short, []), 5 * (assumedRowBytes + storeRowBytes), "closed time has no rows")
  })

  it.effect("rows take no more in the store than is forecast, and a real disk says what is free", () => {
    const vendor = ModelVendor.make()
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const wide = { start: range.start, end: range.start + 14 * day }
        yield* cache.read({ series: vendor.series("ALPHA", "1m"), range: wide })
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      const perRow = statSync(`${directory}/market.sqlite`).size / (14 * 1_440)
      assert.isAtMost(perRow, storeRowBytes)
      assert.isAtLeast(perRow, storeRowBytes / 4)
      assert.isAbove((yield* diskRoomOf(directory, 0).free) ?? 0, 0)
      assert.isNull(yield* diskRoomOf(`${directory}/nowhere`, 0).free)
    })
  })

  it.effect("where nobody can tell what is free, nothing is refused", () => {
    const vendor = ModelVendor.make()
    const { disk, layer } = makeDisk(null)
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      assert.strictEqual((yield* cache.read({ series: vendor.series("ALPHA", "1m"), range })).rowCount, 1_440)
      assert.strictEqual(disk.looks, 1)
    }).pipe(Effect.provide(Layer.provide(fresh(vendor.adapter), layer)))
  })
})
