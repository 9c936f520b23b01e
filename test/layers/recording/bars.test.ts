/** Bars of live streams in the store: as they were told, in series of their own, and the same again from the archive alone. */
import { rmSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Bar } from "../../../src/domain/Bar.ts"
import { mergedBar } from "../../../src/domain/mergedBar.ts"
import { canonical, type SeriesKey } from "../../../src/domain/SeriesKey.ts"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import { allTime, type TimeRange } from "../../../src/domain/TimeRange.ts"
import type * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { Recorder } from "../../../src/services/Recorder.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, settled, temporaryDirectory } from "../stitching/support.ts"
import { atStart, bars, began, pass, second, vendorOf } from "../streams/support.ts"
import { over, recorded } from "./support.ts"

const at = (seconds: number) => began + seconds * second

const query = (dataset: string, timeframe: Timeframe.Timeframe) => ({
  symbol: "ALPHA",
  kind: "bar" as const,
  timeframe,
  dataset
})

const storedBars = Effect.fnUntraced(function* (series: SeriesKey) {
  const market = yield* MarketStore
  return {
    rows: yield* Stream.runCollect(market.storedBars(series, allTime)),
    coverage: yield* market.coverage(series, allTime),
    revisions: yield* Stream.runCollect(market.revisions(series, allTime))
  }
})

const rebuilt = Effect.fnUntraced(function* (check: boolean) {
  const cache = yield* StitchingCache
  return yield* Stream.runCollect(cache.rebuild({ check }))
})

/** The bars of a range; of longer ones than the vendor streams, those that its bars make. */
const truthOf = (vendor: ModelVendor.ModelVendor, timeframe: Timeframe.Timeframe, range: TimeRange) => {
  const stream = { vendor: "model", symbol: "ALPHA", kind: "bars" as const, timeframe: "5s" as const, params: {} }
  const parts = (vendor.stream?.truth(stream, range) ?? []) as ReadonlyArray<Bar>
  const byPeriod = Map.groupBy(parts, ({ ts }) => Timeframe.floor(timeframe, ts))
  return [...byPeriod].map(([ts, [first, ...rest]]) => (first === undefined ? null : mergedBar(ts, [first, ...rest])))
}

const removeStore = (directory: string) => {
  for (const end of ["", "-wal", "-shm"]) rmSync(`${directory}/market.sqlite${end}`, { force: true })
}

const gapped = () => vendorOf({ faults: [{ kind: "gap", start: at(42), end: at(58) }] }, { finalityDelay: 2 * second })

describe("bars of streams", () => {
  it.effect(
    "are stored over a gap as they were told, the stream's and those made of it, and again from the archive",
    () => {
      const vendor = gapped()
      const fifteen = { ...bars(), timeframe: "15s" as const }
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* atStart
        const before = yield* Effect.gen(function* () {
          const cache = yield* StitchingCache
          const market = yield* MarketStore
          const archive = yield* ProvenanceStore
          const events = yield* recorded([bars(), fifteen], 150 * second)
          const last = events.at(-1)
          assert.deepStrictEqual(last?._tag === "Ended" ? last.unstored : null, [])
          const [own, made] = [
            yield* cache.resolve("model", query("recorded", "5s")),
            yield* cache.resolve("model", query("built", "15s"))
          ]
          assert.strictEqual(canonical(own), "v1/model/recorded/ALPHA/bar/5s/trade/all/-/raw")
          assert.strictEqual(canonical(made), "v1/model/built/ALPHA/bar/15s/trade/all/-/raw")
          const told = { own: yield* storedBars(own), made: yield* storedBars(made) }
          for (const [key, { coverage, rows }] of [
            [own, told.own],
            [made, told.made]
          ] as const) {
            const timeframe = key.timeframe ?? "5s"
            const final = rows.filter(({ final }) => final).map(({ bar }) => bar)
            assert.isAbove(final.length, timeframe === "5s" ? 20 : 6)
            const proven = coverage.filter(({ state }) => state._tag === "Covered")
            // One stretch, the gap in it: what the history had of it was told.
            const [first] = proven
            const end = proven.at(-1)?.end ?? 0
            for (const [index, { start }] of proven.entries()) {
              if (index > 0) assert.strictEqual(start, proven[index - 1]?.end)
            }
            const range = { start: first?.start ?? 0, end }
            assert.isBelow(range.start, at(20))
            assert.isAbove(range.end, at(120))
            assert.deepStrictEqual(final, truthOf(vendor, timeframe, range))
            // The bar that was open when the stream began was promised by nobody: it is stored, and not final.
            for (const { bar, final } of rows) assert.strictEqual(final, bar.ts >= range.start)
            for (const { bar, lineage } of rows) {
              const { sha256 } = yield* archive.response(lineage.response)
              const text = new TextDecoder().decode(yield* archive.payload(sha256 ?? ""))
              assert.deepStrictEqual(JSON.parse(text.split("\n")[lineage.position - 1] ?? "").row, { ...bar })
            }
          }
          // What the vendor says of the past is another series, and has nothing of it but what the gap was filled from.
          const history = vendor.series("ALPHA", "5s")
          const filled = yield* market.coverage(history, allTime)
          assert.isTrue(filled.every(({ end, start }) => start >= at(35) && end <= at(65)))
          return told
        }).pipe(Effect.provide(over(directory, vendor)))

        removeStore(directory)
        yield* Effect.gen(function* () {
          const cache = yield* StitchingCache
          const own = yield* cache.resolve("model", query("recorded", "5s"))
          const made = yield* cache.resolve("model", query("built", "15s"))
          assert.deepStrictEqual((yield* storedBars(own)).rows, [])
          yield* rebuilt(false)
          assert.deepStrictEqual({ own: yield* storedBars(own), made: yield* storedBars(made) }, before)
          const compared = (yield* rebuilt(true)).filter((event) => event._tag === "Compared")
          assert.deepStrictEqual(
            compared.map(({ same, series }) => [series, same]),
            [canonical(made), canonical(own), canonical(vendor.series("ALPHA", "5s"))]
              .sort()
              .map((text) => [text, true])
          )
        }).pipe(Effect.provide(over(directory, vendor)))
      })
    }
  )

  it.effect("are read without asking the vendor, explained by their line, and never fetched again", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        yield* recorded([bars()], 60 * second)
        const series = yield* cache.resolve("model", query("recorded", "5s"))
        const range = { start: at(-60), end: at(50) }
        const asked = (yield* vendor.log).length
        const answer = yield* cache.read({ series, range, policy: "force" }, { onMissing: "partial" })
        const rows = yield* barsOf(answer)
        assert.strictEqual(answer.requests, 0)
        assert.lengthOf(yield* vendor.log, asked)
        assert.isAtLeast(rows.length, 8)
        assert.strictEqual(answer.coverage[0]?.state._tag, "Missing")
        const receipt = yield* cache.explain(series, rows[0]?.ts ?? 0)
        assert.strictEqual(receipt.request.kind, "stream.segment")
        assert.match(receipt.excerpt.label, /^line \d+ of segment \d+ of session \d+$/)
        assert.include(receipt.excerpt.text, `"ts":${rows[0]?.ts}`)
        const refused = yield* Effect.flip(cache.refetch(series))
        assert.include(refused.message, "cannot be fetched again")
        const wrong = yield* Effect.flip(cache.resolve("model", query("built", "5s")))
        assert.include(wrong.message, "in the dataset recorded")
        const splits = yield* Effect.flip(cache.resolve("model", { ...query("recorded", "5s"), adjustment: "splits" }))
        assert.include(splits.message, "adjustment raw")
      }).pipe(Effect.provide(over(directory, vendor)))
    })
  })

  it.effect("are not lost when the store is made again while they are recorded", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const recorder = yield* Recorder
        const series = yield* cache.resolve("model", query("recorded", "5s"))
        yield* recorder
          .record({ vendor: "model", streams: [bars()] }, { segmentAge: 1_000 })
          .pipe(Stream.runDrain, Effect.forkScoped({ startImmediately: true }))
        yield* settled
        for (let turn = 0; turn < 6; turn++) {
          yield* pass(7 * second)
          yield* Effect.forkScoped(rebuilt(false), { startImmediately: true })
          yield* pass(2 * second)
        }
        yield* pass(6 * second)
        const { coverage, rows } = yield* storedBars(series)
        const proven = coverage.filter(({ state }) => state._tag === "Covered")
        assert.lengthOf(
          new Set(
            proven.map(({ end, start }, index) => index === 0 || (proven[index - 1]?.end === start && end > start))
          ),
          1
        )
        const range = { start: proven[0]?.start ?? 0, end: proven.at(-1)?.end ?? 0 }
        assert.isAbove(range.end, at(50))
        assert.deepStrictEqual(
          rows.filter(({ final }) => final).map(({ bar }) => bar),
          truthOf(vendor, "5s", range)
        )
      }).pipe(Effect.scoped, Effect.provide(over(directory, vendor)))
    })
  })

  it.effect(
    "of a series that was forgotten are there again when it is recorded again, and stay when the store is made again",
    () => {
      const vendor = vendorOf()
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* atStart
        yield* Effect.gen(function* () {
          const cache = yield* StitchingCache
          const series = yield* cache.resolve("model", query("recorded", "5s"))
          yield* recorded([bars()], 30 * second)
          assert.isAbove(yield* cache.forget(series), 3)
          yield* rebuilt(false)
          assert.deepStrictEqual((yield* storedBars(series)).rows, [])
          yield* recorded([bars()], 30 * second)
          const again = yield* storedBars(series)
          assert.isAbove(again.rows.length, 3)
          yield* rebuilt(false)
          const after = yield* storedBars(series)
          const stamps = new Set(after.rows.map(({ bar }) => bar.ts))
          assert.isTrue(again.rows.every(({ bar }) => stamps.has(bar.ts)))
        }).pipe(Effect.provide(over(directory, vendor)))
      })
    }
  )
})
