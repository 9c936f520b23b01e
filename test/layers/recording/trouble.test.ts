/** Recordings while the archive cannot be written, and while the store is away. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Stream } from "effect"
import type { Bar } from "../../../src/domain/Bar.ts"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import { millisOf, shapeOf } from "../../../src/domain/streams/StreamRow.ts"
import { allTime } from "../../../src/domain/TimeRange.ts"
import { Imports } from "../../../src/services/Imports.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { Recorder, type RecordingEvent } from "../../../src/services/Recorder.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { bareDatabase, postgres } from "../../support/postgres.ts"
import { fullWhile } from "../provenance/failingFiles.ts"
import { temporaryDirectory } from "../stitching/support.ts"
import { atStart, bars, pass, second, trades, vendorOf } from "../streams/support.ts"
import { over, seriesOf, storedOf } from "./support.ts"

const key = { vendor: "model", symbol: "ALPHA", kind: "trades" as const, timeframe: null, params: {} }
const identitiesOf = (rows: ReadonlyArray<Trade>) => rows.map(shapeOf("trades").identity).sort()

/** Segments of so many rows are files, and a full disk refuses them. */
const dense = () => vendorOf({ rate: 1_500 })
/** Moves the clock on and lets real time pass, which files and compression take, until `holds`. */
const unhurried = Effect.fnUntraced(function* (holds: () => boolean, step = 250) {
  for (let turns = 0; !holds(); turns++) {
    if (turns === 2_000) return yield* Effect.die(new Error("it did not come to that"))
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 10)))
    yield* pass(step, step)
  }
})

const begin = Effect.fnUntraced(function* () {
  const recorder = yield* Recorder
  const enough = yield* Deferred.make<void>()
  const events: Array<RecordingEvent> = []
  const recording = yield* recorder
    .record({ vendor: "model", streams: [trades()] }, { segmentAge: 10 * second, until: Deferred.await(enough) })
    .pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.exit,
      Effect.forkChild({ startImmediately: true })
    )
  const segments = () => {
    const last = events.findLast((event) => event._tag === "Progress")
    return last?._tag === "Progress" ? (last.kinds[0]?.segments ?? 0) : 0
  }
  const end = Effect.gen(function* () {
    yield* Deferred.succeed(enough, undefined)
    // What waits for the store then is given up by the clock.
    yield* unhurried(() => recording.pollUnsafe() !== undefined, 20)
    return yield* Fiber.join(recording)
  })
  return { end, events, segments }
})

describe("a recording whose disk is full", () => {
  it.effect(
    "for a while loses nothing: the segment is tried again until it is there",
    () => {
      const vendor = dense()
      const series = seriesOf(vendor, "trades")
      let full = false
      let refused = 0
      const files = fullWhile(() => {
        if (full) refused++
        return full
      })
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* atStart
        yield* Effect.gen(function* () {
          const { end, events, segments } = yield* begin()
          yield* unhurried(() => segments() >= 2)
          full = true
          yield* unhurried(() => refused >= 3)
          full = false
          const before = segments()
          yield* unhurried(() => segments() >= before + 2)
          assert.isTrue(Exit.isSuccess(yield* end))
          const last = events.at(-1)
          assert.deepInclude(last, { _tag: "Ended", unstored: [] })
          const kind = last?._tag === "Ended" ? last.kinds[0] : undefined
          assert.deepInclude(kind, { gaps: 0, missing: 0 })
          const { coverage, rows } = yield* storedOf(series)
          assert.strictEqual(rows.length, kind?.rows)
          const range = { start: coverage[0]?.start ?? 0, end: coverage.at(-1)?.end ?? 0 }
          assert.isAbove(range.end - range.start, 25 * second)
          for (const [index, { start }] of coverage.entries()) {
            if (index > 0) assert.strictEqual(start, coverage[index - 1]?.end)
          }
          const within = rows.map(({ row }) => row as Trade).filter((row) => millisOf(row) < range.end)
          const truth = (vendor.stream?.truth(key, range) ?? []) as ReadonlyArray<Trade>
          assert.deepStrictEqual(identitiesOf(within), identitiesOf(truth))
        }).pipe(Effect.provide(over(directory, vendor, {}, { files })))
      })
    },
    120_000
  )

  it.effect(
    "to its end fails aloud, and the next one tells what is lost; nothing is claimed of it",
    () => {
      const vendor = dense()
      const series = seriesOf(vendor, "trades")
      let full = false
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* atStart
        yield* Effect.gen(function* () {
          const first = yield* begin()
          yield* unhurried(() => first.segments() >= 2)
          full = true
          yield* pass(8 * second)
          const exit = yield* first.end
          assert.isTrue(Exit.isFailure(exit))
          assert.include(Exit.isFailure(exit) ? `${Cause.squash(exit.cause)}` : "", "the disk is full")
          const through = (yield* storedOf(series)).coverage.at(-1)?.end ?? 0
          full = false
          const second_ = yield* begin()
          const lost = () =>
            second_.events.flatMap((event) =>
              event._tag === "Word" && event.event._tag === "Unrepairable" ? [event.event] : []
            )
          yield* unhurried(() => lost().length > 0)
          yield* unhurried(() => second_.segments() >= 2)
          assert.isTrue(Exit.isSuccess(yield* second_.end))
          assert.strictEqual(lost().length, 1)
          const [{ from, to, why } = { from: 0, to: 0, why: "" }] = lost()
          assert.include(why, "broke off")
          assert.isAtMost(from, through)
          assert.isAbove(to - from, 5 * second)
          const { coverage } = yield* storedOf(series)
          assert.isFalse(coverage.some(({ end, start }) => start < to && end > Math.max(from, through)))
          assert.isTrue(coverage.some(({ start }) => start >= to))
        }).pipe(Effect.provide(over(directory, vendor, {}, { files: fullWhile(() => full) })))
      })
    },
    120_000
  )
})

describe("a recording whose store is away", () => {
  it.live(
    "has all of it in the store when that is back: trades and bars, of a PostgreSQL that is killed",
    () => {
      const vendor = vendorOf({ rate: 20 })
      const series = seriesOf(vendor, "trades")
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const server = yield* postgres
        const url = yield* bareDatabase
        yield* Effect.gen(function* () {
          const recorder = yield* Recorder
          const market = yield* MarketStore
          const cache = yield* StitchingCache
          const enough = yield* Deferred.make<void>()
          const events: Array<RecordingEvent> = []
          const segments = () => {
            const last = events.findLast((event) => event._tag === "Progress")
            return last?._tag === "Progress" ? last.kinds.reduce((sum, kind) => sum + kind.segments, 0) : 0
          }
          const archived = Effect.fnUntraced(function* (count: number) {
            while (segments() < count) yield* Effect.sleep("20 millis")
          })
          const recording = yield* recorder
            .record(
              { vendor: "model", streams: [trades(), bars()] },
              { segmentAge: 400, until: Deferred.await(enough) }
            )
            .pipe(
              Stream.runForEach((event) => Effect.sync(() => events.push(event))),
              Effect.forkChild({ startImmediately: true })
            )
          yield* archived(5)
          server.kill()
          // Its children end a moment after it.
          while (Exit.isSuccess(yield* Effect.exit(market.series))) yield* Effect.sleep("20 millis")
          const away = segments()
          yield* archived(away + 8)
          yield* Effect.promise(server.restart)
          yield* archived(away + 14)
          yield* Deferred.succeed(enough, undefined)
          yield* Fiber.join(recording)
          const last = events.at(-1)
          assert.deepInclude(last, { _tag: "Ended", unstored: [] })
          const kinds = new Map(last?._tag === "Ended" ? last.kinds.map((kind) => [kind.kind, kind]) : [])
          assert.deepInclude(kinds.get("trades"), { gaps: 0, missing: 0 })
          assert.strictEqual((yield* storedOf(series)).rows.length, kinds.get("trades")?.rows)
          const query = { symbol: "ALPHA", kind: "bar" as const, timeframe: "5s" as const, dataset: "recorded" }
          const made = yield* cache.resolve("model", query)
          const rows: ReadonlyArray<Bar> = yield* Stream.runCollect(market.bars(made, allTime))
          assert.isAbove(rows.length, 0)
          assert.strictEqual(rows.length, kinds.get("bars")?.rows)
          const imports = yield* Imports
          const compared = yield* Stream.runCollect(imports.check({ limit: 3 }))
          assert.deepStrictEqual(
            compared.map((event) => (event._tag === "Compared" ? event.differences : event)),
            [[]]
          )
          const rebuilt = yield* Stream.runCollect(cache.rebuild({ check: true }))
          assert.deepStrictEqual(
            rebuilt.flatMap((event) => (event._tag === "Compared" ? [event.same] : [])),
            [true]
          )
        }).pipe(Effect.provide(over(directory, vendor, {}, { postgres: url })))
      }).pipe(Effect.scoped)
    },
    120_000
  )
})
