/** What adjusted series cost in requests: as many as raw ones, and what stands in for the comparisons that are not made. */
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { NotFound, Unavailable } from "../../../src/services/Adapter.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { newYork } from "../../support/calendars.ts"
import { barsOf, between, day, fresh, hour, minute, moving, over, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const year = between("2023-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const inPieces = { "15m": { maxSpan: 8 * day, maxRows: null } }

const regular = (series: SeriesKey): SeriesKey => ({ ...series, session: "regular" })
const count = (vendor: ModelVendor.ModelVendor) => Effect.map(vendor.log, ({ length }) => length)
const dayOf = (text: string): TimeRange => ({ start: utc(`${text}T00:00:00Z`), end: utc(`${text}T00:00:00Z`) + day })

const march1 = dayOf("2024-03-01")
const march3 = dayOf("2024-03-03")
const march5 = dayOf("2024-03-05")
const all = { start: march1.start, end: march5.end }
/** Two days beside each other, each of which is only believed. */
const islands = { start: utc("2024-03-04T00:00:00Z"), end: march5.end }

describe("StitchingCache, requests of adjusted series", () => {
  for (const concurrency of [1, 4]) {
    it.effect(
      `C38 a cold year in pieces is compared over closed time without a request more, ${concurrency} at once`,
      () => {
        const limits = { concurrency, calendar: "XNYS", timeframes: inPieces }
        const vendor = ModelVendor.make({ calendar: newYork, limits, latency: [10, 900] })
        return Effect.gen(function* () {
          yield* TestClock.setTime(noon)
          const cache = yield* StitchingCache
          const series = regular(vendor.series("ALPHA", "15m", "splits"))
          const raw = yield* cache.plan({ series: regular(vendor.series("ALPHA", "15m")), range: year })
          const plan = yield* cache.plan({ series, range: year })
          const answer = yield* moving(cache.read({ series, range: year }))
          assert.strictEqual(answer.requests, plan.requests.length)
          assert.strictEqual(yield* count(vendor), plan.requests.length)
          assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, year))
          // What reaches back over a week-end goes less far.
          assert.isAtMost(plan.requests.length, Math.ceil(raw.requests.length * 1.25), `raw: ${raw.requests.length}`)
        }).pipe(Effect.provide(fresh(vendor.adapter)))
      }
    )
  }

  it.effect("C38 a cold year of a vendor without a calendar: its pieces, and one bar at the end", () => {
    const limits = { basisHolds: hour, timeframes: inPieces }
    const vendor = ModelVendor.make({ calendar: newYork, limits, latency: [10, 900] })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "15m", "splits")
      const plan = yield* cache.plan({ series, range: year })
      const answer = yield* moving(cache.read({ series, range: year }))
      assert.strictEqual(answer.requests, plan.requests.length + 1)
      assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, year))
      const again = yield* cache.read({ series, range: year })
      assert.strictEqual(again.requests, 0, "once is enough")
      const asked = yield* count(vendor)
      yield* TestClock.adjust(day)
      const longer = { start: year.start, end: year.end + day }
      const warm = yield* moving(cache.read({ series, range: longer }))
      assert.strictEqual((yield* count(vendor)) - asked, 1, "a day more is one request")
      assert.deepStrictEqual(yield* barsOf(warm), yield* vendor.direct(series, longer))
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect(
    "C38 small ranges that border on nothing are a request each; read together, one more for their series",
    () => {
      const symbols = Array.from({ length: 40 }, (_, index) => `S${index}`)
      const vendor = ModelVendor.make({ symbols, limits: { basisHolds: hour }, latency: [10, 900] })
      return Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        const ranges = [0, 1, 2, 3, 4].map((part) => {
          const start = utc("2023-03-01T00:00:00Z") + part * 60 * day
          return { start, end: start + 20 * day }
        })
        const reads = symbols.flatMap((symbol) => ranges.map((range) => ({ symbol, range })))
        const series = (symbol: string) => vendor.series(symbol, "1d", "splits")
        const answers = yield* moving(
          Effect.forEach(reads, ({ range, symbol }) => cache.read({ series: series(symbol), range }), {
            concurrency: 8
          })
        )
        for (const { bars: _, ...answer } of answers) assert.strictEqual(answer.rowCount, 20)
        assert.strictEqual(yield* count(vendor), reads.length)
        const whole = { start: ranges[0]?.start ?? 0, end: ranges[4]?.end ?? 0 }
        const answer = yield* moving(cache.read({ series: series("S7"), range: whole }))
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series("S7"), whole))
        // The four holes between them: compared with what they border on.
        assert.isAtMost((yield* count(vendor)) - reads.length, 4 + 3)
        const asked = yield* count(vendor)
        for (const range of ranges) yield* moving(cache.read({ series: series("S8"), range }))
        yield* moving(cache.read({ series: series("S8"), range: { start: whole.start, end: whole.start + 10 * day } }))
        assert.strictEqual(yield* count(vendor), asked, "each alone is what one answer said")
      }).pipe(Effect.provide(fresh(vendor.adapter)))
    }
  )

  it.effect("C38 what is long after the last comparison is compared again, once for all that comes after it", () => {
    const vendor = ModelVendor.make({ limits: { basisHolds: hour } })
    return Effect.gen(function* () {
      yield* TestClock.setTime(noon)
      const cache = yield* StitchingCache
      const series = vendor.series("ALPHA", "1h", "splits")
      yield* moving(cache.read({ series, range: march1 }))
      yield* TestClock.adjust(3 * hour)
      const before = yield* count(vendor)
      yield* moving(cache.read({ series, range: march5 }))
      assert.strictEqual((yield* count(vendor)) - before, 3)
      yield* moving(cache.read({ series, range: march3 }))
      assert.strictEqual((yield* count(vendor)) - before, 4)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  const splits = [{ at: noon + 10 * minute, ratio: 4 }]

  /** A vendor that says it holds its basis for an hour splits ten minutes after a day was had; an island is had after that. */
  const believed = Effect.fnUntraced(function* (vendor: ModelVendor.ModelVendor) {
    const cache = yield* StitchingCache
    const series = vendor.series("ALPHA", "1h", "splits")
    yield* TestClock.setTime(noon)
    const old = yield* barsOf(yield* moving(cache.read({ series, range: march1 })))
    yield* TestClock.setTime(noon + 20 * minute)
    const island = yield* moving(cache.read({ series, range: march5 }))
    assert.strictEqual(island.requests, 1, "it is believed")
    assert.deepStrictEqual(yield* barsOf(island), yield* vendor.direct(series, march5))
    return { cache, series, old }
  })

  it.effect("a vendor that moves within the time it is believed for: found before the two are in one answer", () => {
    const vendor = ModelVendor.make({ splits, limits: { basisHolds: hour } })
    return Effect.gen(function* () {
      const { cache, old, series } = yield* believed(vendor)
      const alone = yield* cache.read({ series, range: march1 })
      assert.deepStrictEqual([yield* barsOf(alone), alone.requests], [old, 0], "each part alone is of one basis")
      const whole = yield* moving(cache.read({ series, range: all }))
      assert.deepStrictEqual(yield* barsOf(whole), yield* vendor.direct(series, all))
      const both = yield* cache.read({ series, range: march1 })
      assert.notDeepEqual(yield* barsOf(both), old)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("what touches the believed part alone is believed with it, and does not prove it", () => {
    const vendor = ModelVendor.make({ splits, limits: { basisHolds: hour } })
    return Effect.gen(function* () {
      const { cache, series } = yield* believed(vendor)
      const before = yield* count(vendor)
      yield* moving(cache.read({ series, range: dayOf("2024-03-04") }))
      assert.strictEqual((yield* count(vendor)) - before, 1)
      yield* TestClock.adjust(2 * hour)
      yield* moving(cache.read({ series, range: march3 }))
      const stored = yield* cache.read({ series, range: all, policy: "cacheOnly" }, { onMissing: "partial" })
      const holes = stored.coverage.filter(({ state }) => state._tag === "Missing")
      assert.strictEqual(holes.length, 1)
      const now = yield* vendor.direct(series, all)
      assert.deepStrictEqual(
        yield* barsOf(stored),
        now.filter(({ ts }) => !holes.some(({ end, start }) => start <= ts && ts < end)),
        "the first fetch that was compared had it all again"
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("what is only believed is remembered by the archive, and found by another process", () => {
    const vendor = ModelVendor.make({ splits, limits: { basisHolds: day } })
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { series } = yield* Effect.provide(believed(vendor), over(directory, [vendor.adapter]))
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const whole = yield* moving(cache.read({ series, range: all }))
        assert.deepStrictEqual(yield* barsOf(whole), yield* vendor.direct(series, all))
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      const asked = yield* count(vendor)
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        yield* cache.read({ series, range: all })
        assert.strictEqual(yield* count(vendor), asked)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
    })
  })

  it.effect("a comparison that cannot be made leaves what the vendor's limits promise; the next read makes it", () => {
    const state = { down: false }
    const vendor = ModelVendor.make({
      limits: { basisHolds: hour },
      trouble: () => (state.down ? new Unavailable({ message: "down" }) : null)
    })
    return Effect.gen(function* () {
      const { cache, series } = yield* believed(vendor)
      yield* moving(cache.read({ series, range: dayOf("2024-03-02") }))
      yield* moving(cache.read({ series, range: dayOf("2024-03-04") }))
      yield* moving(cache.read({ series, range: dayOf("2024-02-27") }))
      const within = { start: utc("2024-02-27T00:00:00Z"), end: march1.end }
      state.down = true
      const unable = yield* moving(cache.read({ series, range: within }, { onMissing: "partial" }))
      const direct = yield* vendor.direct(series, within)
      assert.deepStrictEqual(
        yield* barsOf(unable),
        direct.filter(({ ts }) => ts < utc("2024-02-28T00:00:00Z") || ts >= march1.start)
      )
      state.down = false
      yield* TestClock.adjust(minute)
      const whole = yield* moving(cache.read({ series, range: within }))
      assert.deepStrictEqual(yield* barsOf(whole), direct)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  for (const [file, broken, mended] of [
    ["provenance.sqlite", "alter table sessions rename to gone", "alter table gone rename to sessions"],
    ["quota.sqlite", "alter table spent rename to gone", "alter table gone rename to spent"]
  ] as const) {
    it.effect(`a comparison that this machine cannot make (${file}) fails the read, whatever it says of holes`, () => {
      const vendor = ModelVendor.make({
        limits: { basisHolds: hour, windows: [{ name: "hour", limit: 1_000, span: hour, key: null }] }
      })
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const alter = (sql: string) =>
          Effect.sync(() => {
            const database = new Database(`${directory}/${file}`)
            database.exec(sql)
            database.close()
          })
        yield* Effect.gen(function* () {
          const { cache, series } = yield* believed(vendor)
          yield* moving(cache.read({ series, range: dayOf("2024-03-04") }))
          const mixed = cache.read({ series, range: islands }, { onMissing: "partial" })
          yield* alter(broken)
          const failed = yield* moving(Effect.flip(mixed))
          assert.include(["ProvenanceStoreError", "QuotaError"], failed.reason._tag)
          yield* alter(mended)
          assert.deepStrictEqual(yield* barsOf(yield* moving(mixed)), yield* vendor.direct(series, islands))
        }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      })
    })
  }

  it.effect("a vendor that no longer has the symbol has not moved: nothing is fetched again, and the rows stay", () => {
    const state = { delisted: false }
    const vendor = ModelVendor.make({
      limits: { basisHolds: hour },
      trouble: () => (state.delisted ? new NotFound({ message: "gone" }) : null)
    })
    return Effect.gen(function* () {
      const { cache, series } = yield* believed(vendor)
      yield* moving(cache.read({ series, range: dayOf("2024-03-04") }))
      const before = yield* count(vendor)
      state.delisted = true
      const whole = yield* moving(cache.read({ series, range: islands }))
      assert.deepStrictEqual(yield* barsOf(whole), yield* vendor.direct(series, islands))
      assert.strictEqual((yield* count(vendor)) - before, 1)
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})
