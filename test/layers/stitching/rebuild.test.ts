/** A store made again from the archive alone is the same store. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Fiber, Logger, Stream } from "effect"
import { TestClock } from "effect/testing"
import { canonical, type SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { seriesDigest } from "../../../src/layers/market/seriesDigest.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import type { Adapter, FetchCapability } from "../../../src/services/Adapter.ts"
import { datedDecoders } from "../../../src/services/decoders.ts"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import type { RebuildEvent, RebuildOptions } from "../../../src/services/RebuildEvent.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, hour, moving, over, settled, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-06T12:00:00Z")
const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
const later = noon + hour

const corrected = (options: ModelVendor.ModelVendorOptions = {}) =>
  ModelVendor.make({
    corrections: [{ ...range, at: later }],
    limits: { timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } } },
    ...options
  })

const events = (options: RebuildOptions = {}) =>
  Effect.flatMap(StitchingCache, (cache) => Stream.runCollect(cache.rebuild(options)))

const of = <Tag extends RebuildEvent["_tag"]>(all: ReadonlyArray<RebuildEvent>, tag: Tag) =>
  all.filter((event): event is Extract<RebuildEvent, { readonly _tag: Tag }> => event._tag === tag)

const digest = (series: SeriesKey) => Effect.flatMap(MarketStore, (market) => seriesDigest(market, series))

/** Another vendor whose decoder reads the close a cent higher. */
const raised = (vendor: ModelVendor.ModelVendor, by: number): Adapter & { readonly fetch: FetchCapability } => ({
  ...vendor.adapter,
  fetch: {
    ...vendor.adapter.fetch,
    decoderVersion: 2,
    decode: (payload, decoding) =>
      Effect.map(vendor.adapter.fetch.decode(payload, decoding), (decoded) => ({
        ...decoded,
        bars: decoded.bars.map((bar) =>
          bar.ts === range.start + hour ? { ...bar, high: bar.high + by, close: bar.close + by } : bar
        )
      }))
  }
})

describe("rebuild", () => {
  it.effect("X7 what was read, corrected, refetched and invalidated is the same again, also by a second rebuild", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const vendor = corrected()
      const other = ModelVendor.make({ name: "other", seed: 7 })
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        const beside = other.series("BETA", "1h")
        yield* TestClock.setTime(noon + 20 * 60_000)
        yield* moving(cache.read({ series, range }))
        yield* moving(cache.read({ series: beside, range: between("2024-03-06T00:00:00Z", "2024-03-06T13:00:00Z") }))
        yield* TestClock.setTime(later)
        yield* moving(
          cache.read({ series, range: between("2024-03-01T06:00:00Z", "2024-03-01T12:00:00Z"), policy: "force" })
        )
        yield* moving(cache.refetch(series))
        yield* TestClock.setTime(later + hour)
        yield* cache.invalidate(series, between("2024-03-01T03:00:00Z", "2024-03-01T05:00:00Z"))
        yield* moving(cache.read({ series: beside, range: between("2024-03-06T00:00:00Z", "2024-03-06T14:00:00Z") }))
        const before = [yield* digest(series), yield* digest(beside)]
        assert.isAbove(before[0]?.revisions.count ?? 0, 0)
        const asked = (yield* vendor.log).length
        for (let time = 0; time < 2; time++) {
          const checked = yield* events({ check: true })
          assert.deepStrictEqual(
            of(checked, "Compared").map(({ same, stored }) => [same, stored]),
            before.map((expected) => [true, expected])
          )
          const rebuilt = yield* events()
          assert.deepStrictEqual(
            of(rebuilt, "Rebuilt").map(({ series: text }) => text),
            [canonical(series), canonical(beside)]
          )
          assert.deepStrictEqual([yield* digest(series), yield* digest(beside)], before)
        }
        assert.strictEqual((yield* vendor.log).length, asked, "nobody is asked")
        assert.deepStrictEqual(of(yield* events({ vendor: "other" }), "Rebuilt").length, 1)
        assert.deepStrictEqual(of(yield* events({ symbol: "ALPHA", check: true }), "Compared").length, 1)
        assert.deepStrictEqual(of(yield* events({ symbol: "GAMMA" }), "Finished")[0]?.series, 0)
      }).pipe(Effect.provide(over(directory, [vendor.adapter, other.adapter])))
    })
  )

  it.effect(
    "X7 a decoder that reads otherwise is reported with the rows that move, and a rebuild takes them over",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const vendor = corrected()
        const series = vendor.series("ALPHA", "1h")
        yield* Effect.gen(function* () {
          yield* TestClock.setTime(noon)
          yield* moving(Effect.flatMap(StitchingCache, (cache) => cache.read({ series, range })))
        }).pipe(Effect.provide(over(directory, [vendor.adapter])))

        yield* Effect.gen(function* () {
          const alike = yield* events({ check: true })
          assert.deepStrictEqual(
            of(alike, "Compared").map(({ same }) => same),
            [true]
          )
        }).pipe(Effect.provide(over(directory, [raised(vendor, 0)])))

        yield* Effect.gen(function* () {
          const before = yield* digest(series)
          const found = yield* events({ check: true })
          const [difference, ...none] = of(found, "Difference")
          assert.strictEqual(none.length, 0)
          const moved = difference?.moved
          assert.isTrue(moved?._tag === "Row")
          if (moved?._tag !== "Row") return
          assert.strictEqual(moved.stored?.bar.ts, range.start + hour)
          assert.deepStrictEqual(
            [
              moved.stored?.lineage.decoderVersion,
              moved.rebuilt?.lineage.decoderVersion,
              moved.stored?.lineage.response
            ],
            [1, 2, moved.rebuilt?.lineage.response]
          )
          assert.closeTo((moved.rebuilt?.bar.close ?? 0) - (moved.stored?.bar.close ?? 0), 0.5, 1e-9)
          const [compared] = of(found, "Compared")
          assert.deepStrictEqual(
            { same: compared?.same, moved: compared?.moved },
            { same: false, moved: { rows: 1, revisions: 0, coverage: 0, actions: 0 } }
          )
          assert.strictEqual(of(found, "Finished")[0]?.differing, 1)
          assert.deepStrictEqual(yield* digest(series), before, "a check changes nothing")

          yield* events()
          assert.deepStrictEqual(yield* digest(series), compared?.rebuilt)
          assert.strictEqual(of(yield* events({ check: true }), "Finished")[0]?.differing, 0)
        }).pipe(Effect.provide(over(directory, [raised(vendor, 0.5)])))
      })
  )

  it.effect("X7 of a vendor whose format has changed each answer is read by the decoder of its date", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const vendor = corrected()
      const series = vendor.series("ALPHA", "1h")
      const next = { start: range.end, end: range.end + 6 * hour }
      const { decode } = vendor.adapter.fetch
      const shifted =
        (by: number): FetchCapability["decode"] =>
        (payload, decoding) =>
          Effect.map(decode(payload, decoding), (decoded) => ({
            ...decoded,
            bars: decoded.bars.map((bar) => ({ ...bar, high: bar.high + by, close: bar.close + by }))
          }))
      const changed = later - 1
      const withDecoders = (...decoders: Parameters<typeof datedDecoders>) => ({
        ...vendor.adapter,
        fetch: { ...vendor.adapter.fetch, ...datedDecoders(...decoders) }
      })
      const versions = Effect.gen(function* () {
        const market = yield* MarketStore
        const at = (ts: number) => Effect.map(market.barAt(series, ts), (row) => row?.lineage.decoderVersion)
        return [yield* at(range.start), yield* at(next.start)]
      })
      const old = { version: 1, from: 0, decode }
      const fresh = { version: 2, from: changed, decode: shifted(1) }

      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        yield* TestClock.setTime(noon)
        yield* moving(cache.read({ series, range }))
        yield* TestClock.setTime(later)
        yield* moving(cache.read({ series, range: next }))
        assert.deepStrictEqual(yield* versions, [1, 2])
        assert.deepStrictEqual(
          of(yield* events({ check: true }), "Compared").map(({ same }) => same),
          [true]
        )
      }).pipe(Effect.provide(over(directory, [withDecoders(old, fresh)])))

      // The old one is mended: what it read is read again, by the next plan; what the new one read is not.
      const mended = { ...old, version: 3, decode: shifted(2) }
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const [compared] = of(yield* events({ check: true }), "Compared")
        assert.strictEqual(compared?.moved.rows, 24)
        yield* cache.coverage(series, range)
        assert.deepStrictEqual(yield* versions, [3, 2])
        yield* events()
        assert.deepStrictEqual(yield* versions, [3, 2])
        assert.deepStrictEqual((yield* digest(series)).rows, compared?.rebuilt.rows)
      }).pipe(Effect.provide(over(directory, [withDecoders(mended, fresh)])))
    })
  )

  it.effect("X7 a damaged payload is named, and the rest is rebuilt", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const long = ModelVendor.make()
      const series = long.series("ALPHA", "1m")
      const day = 24 * hour
      yield* Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        // More than 64 KiB: a file of its own.
        yield* moving(cache.read({ series, range }))
        yield* moving(cache.read({ series, range: { start: range.end, end: range.end + day } }))
      }).pipe(Effect.provide(over(directory, [long.adapter])))
      const name = yield* Effect.sync(() => tear(`${directory}/responses`))
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const done = yield* events()
        const [unread, ...others] = of(done, "Unread")
        assert.strictEqual(others.length, 0)
        assert.include(unread?.message, name)
        assert.strictEqual(of(done, "Finished")[0]?.unread, 1)
        const answer = yield* cache.read(
          { series, range: { start: range.start, end: range.end + day }, policy: "cacheOnly" },
          { onMissing: "partial" }
        )
        assert.strictEqual((yield* barsOf(answer)).length, 24 * 60)
      }).pipe(Effect.provide(over(directory, [long.adapter])))
    })
  )

  it.effect("X7 a series of a vendor that is not configured is skipped and stays as it is", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const vendor = corrected()
      const series = vendor.series("ALPHA", "1h")
      const before = yield* Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        yield* moving(Effect.flatMap(StitchingCache, (cache) => cache.read({ series, range })))
        return yield* digest(series)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
      yield* Effect.gen(function* () {
        const done = yield* events()
        assert.match(of(done, "Skipped")[0]?.message ?? "", /model/)
        assert.deepStrictEqual(yield* digest(series), before)
      }).pipe(Effect.provide(over(directory, [])))
    })
  )

  it.effect("X7 readers see the old series or the new one, and what comes meanwhile is in it", () => {
    const vendor = corrected({ latency: [10_000, 10_000] })
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        yield* TestClock.setTime(noon)
        const old = yield* barsOf(yield* moving(cache.read({ series, range }), 1_000))
        const next = { start: range.end, end: range.end + 6 * hour }
        // Under way when the rebuild comes to its end, which waits for it.
        const reading = yield* Effect.forkChild(cache.read({ series, range: next }), { startImmediately: true })
        yield* settled
        const rebuilding = yield* Effect.forkChild(events(), { startImmediately: true })
        for (let turn = 0; rebuilding.pollUnsafe() === undefined; turn++) {
          yield* settled
          const seen = yield* barsOf(
            yield* cache.read({ series, range, policy: "cacheOnly" }, { onMissing: "partial" })
          )
          assert.deepStrictEqual(seen, old)
          if (turn > 5) yield* TestClock.adjust(1_000)
        }
        yield* Fiber.join(reading)
        yield* Fiber.join(rebuilding)
        const both = { start: range.start, end: next.end }
        const answer = yield* cache.read({ series, range: both, policy: "cacheOnly" })
        assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, both))
        assert.strictEqual(of(yield* events({ check: true }), "Finished")[0]?.differing, 0)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
    })
  })

  it.effect("X7 what a vendor that hangs holds up says so, once", () => {
    const vendor = corrected({ latency: [600_000, 600_000] })
    const lines: Array<string> = []
    const log = Logger.make(({ message }) => {
      if (String(message).includes("waits for")) lines.push(String(message))
    })
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        yield* TestClock.setTime(noon)
        yield* moving(cache.read({ series, range }), 60_000)
        assert.deepStrictEqual(yield* events(), yield* events())
        assert.deepStrictEqual(lines, [], "nothing is waited for")
        const next = { start: range.end, end: range.end + 6 * hour }
        const reading = yield* Effect.forkChild(cache.read({ series, range: next }), { startImmediately: true })
        yield* settled
        const rebuilding = yield* Effect.forkChild(events(), { startImmediately: true })
        for (let turn = 0; turn < 20; turn++) yield* settled
        yield* TestClock.adjust(29_000)
        yield* settled
        assert.deepStrictEqual(lines, [])
        for (let turn = 0; turn < 100 && lines.length === 0; turn++) {
          yield* TestClock.adjust(5_000)
          yield* settled
        }
        assert.strictEqual(lines.length, 1)
        assert.include(lines[0], `the rebuild of ${canonical(series)} waits for what is on its way: 1 request(s)`)
        yield* TestClock.adjust(600_000)
        yield* Fiber.join(reading)
        yield* Fiber.join(rebuilding)
        assert.strictEqual(lines.length, 1)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])), Effect.provide(Logger.layer([log])))
    })
  })

  it.effect("X7 a name in the archive that is no series' is told, and only where it could be one that is wanted", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const vendor = corrected()
      const series = vendor.series("ALPHA", "1h")
      yield* Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        yield* moving(cache.read({ series, range }))
        const ingest = yield* IngestSession
        // Answers about records are stored again with the imports.
        const actions = canonical({ ...series, kind: "corporate-action", timeframe: null })
        const names = ["v9/model/-/ALPHA/tick", actions]
        yield* Effect.scoped(
          Effect.gen(function* () {
            const session = yield* ingest.open({ source: "model", mode: "sync" })
            for (const [index, name] of names.entries()) {
              const part = { start: range.start + index * hour, end: range.start + (index + 1) * hour }
              const request = yield* vendor.adapter.fetch.request(series, part)
              yield* session.fetch(request, { cacheMode: { _tag: "bypass" }, subject: { series: name, range: part } })
            }
          })
        )
        for (const check of [false, true]) {
          const told = yield* events({ check })
          assert.deepStrictEqual(
            of(told, "Skipped").map((event) => event.series),
            [actions, "v9/model/-/ALPHA/tick"]
          )
          assert.include(of(told, "Skipped")[1]?.message ?? "", "expected v1/ and nine parts")
          assert.deepInclude(of(told, "Finished")[0], { series: 1, skipped: 2 })
        }
        assert.strictEqual(of(yield* events({ symbol: "BETA" }), "Skipped").length, 0)
        assert.strictEqual(of(yield* events({ symbol: "ALPHA" }), "Skipped").length, 2)
      }).pipe(Effect.provide(over(directory, [vendor.adapter])))
    })
  )

  it.effect("X7 corporate actions are compared: what the store was told, and by which answer", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const vendor = ModelVendor.make()
      const split = { kind: "split", ts: range.start, numerator: 4, denominator: 1 } as const
      const dividend = { kind: "dividend", ts: range.start, amount: 0.5, currency: "USD" } as const
      /** Every answer tells of a split and a dividend; those about daily bars of another amount. */
      const telling: Adapter = {
        ...vendor.adapter,
        fetch: {
          ...vendor.adapter.fetch,
          decode: (payload, decoding) =>
            Effect.map(vendor.adapter.fetch.decode(payload, decoding), (decoded) => ({
              ...decoded,
              actions: {
                rows: [split, { ...dividend, amount: decoding.series.timeframe === "1d" ? 0.25 : 0.5 }],
                positions: [0, 1],
                complete: decoding.range
              }
            }))
        }
      }
      const hourly = vendor.series("ALPHA", "1h")
      const daily = vendor.series("ALPHA", "1d")
      yield* Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const cache = yield* StitchingCache
        for (const series of [hourly, daily]) yield* moving(cache.read({ series, range }))
        const checked = of(yield* events({ check: true }), "Compared")
        assert.deepStrictEqual(
          checked.map(({ same, stored }) => [same, stored.actions.count]),
          [
            [true, 2],
            [true, 2]
          ]
        )
        yield* Effect.sync(() => {
          const database = new Database(join(directory, "market.sqlite"))
          database.exec("update actions set amount = 9 where amount = 0.25")
          database.close()
        })
        const moved = of(yield* events({ check: true }), "Compared")
        assert.deepStrictEqual(
          moved.map(({ moved: { actions, coverage, rows }, same, series }) => [series, same, rows, coverage, actions]),
          [
            [canonical(daily), false, 0, 0, 1],
            [canonical(hourly), true, 0, 0, 0]
          ]
        )
        assert.deepStrictEqual(
          moved[0]?.actions?.map(({ rebuilt, stored }) => [stored?.action, rebuilt?.action]),
          [
            [
              { ...dividend, amount: 9 },
              { ...dividend, amount: 0.25 }
            ]
          ]
        )
        yield* events()
        assert.isTrue(of(yield* events({ check: true }), "Compared").every(({ same }) => same))
      }).pipe(Effect.provide(over(directory, [telling])))
    })
  )
})

/** Cuts the last byte off one payload file and gives its name. */
const tear = (directory: string): string => {
  const [shard = ""] = readdirSync(directory).filter((name) => /^[0-9a-f]{2}$/.test(name))
  const [name = ""] = readdirSync(join(directory, shard))
  const file = join(directory, shard, name)
  writeFileSync(file, readFileSync(file).subarray(0, -1))
  return name.replace(".bin", "")
}
