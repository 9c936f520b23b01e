/** Bars that a vendor does not stream, made of those that it does. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Bar } from "../../../src/domain/Bar.ts"
import { mergedBar } from "../../../src/domain/mergedBar.ts"
import { isRows } from "../../../src/domain/streams/StreamEvent.ts"
import type { StreamQuery } from "../../../src/domain/streams/StreamKey.ts"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import type * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { Unavailable } from "../../../src/services/Adapter.ts"
import { MarketStreams } from "../../../src/services/MarketStreams.ts"
import {
  atStart,
  began,
  eventsOf,
  bars as fives,
  over,
  pass,
  promised,
  type Recorder,
  record,
  rowsOf,
  second,
  tags,
  vendorOf
} from "./support.ts"

const at = (seconds: number) => began + seconds * second
const built = (timeframe: Timeframe.Timeframe, symbol = "ALPHA"): StreamQuery => ({ symbol, kind: "bars", timeframe })

/** What the vendor's own bars of five seconds make, bar by bar. */
const truthOf = (
  vendor: ModelVendor.ModelVendor,
  timeframe: Timeframe.Timeframe,
  range: TimeRange
): ReadonlyArray<Bar> => {
  const key = { vendor: "model", symbol: "ALPHA", kind: "bars" as const, timeframe: "5s" as const, params: {} }
  const buckets = new Map<number, Array<Bar>>()
  for (const row of (vendor.stream?.truth(key, range) ?? []) as ReadonlyArray<Bar>) {
    const start = Timeframe.floor(timeframe, row.ts)
    buckets.set(start, [...(buckets.get(start) ?? []), row])
  }
  return [...buckets].flatMap(([start, [first, ...rest]]) =>
    first === undefined ? [] : [mergedBar(start, [first, ...rest])]
  )
}

/** All of what it was promised and not told to be missing, and nothing else. */
const isWhole = (vendor: ModelVendor.ModelVendor, tape: Recorder, timeframe: Timeframe.Timeframe): number => {
  const { missing, range } = promised(tape)
  if (range === null) return 0
  const had = ({ ts }: Bar) => !missing.some(({ end, start }) => ts >= start && ts < end)
  const expected = truthOf(vendor, timeframe, range).filter(had)
  assert.deepStrictEqual(rowsOf(tape), expected)
  return expected.length
}

describe("bars made of shorter ones", () => {
  it.effect("are told when they are over, from the first whole one on, at the clock's boundaries", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      yield* atStart
      yield* pass(7 * second)
      const tape = yield* record([built("15s")])
      assert.strictEqual(tape.keys[0]?.timeframe, "15s")
      yield* pass(120 * second)
      const [started] = eventsOf(tape)
      assert.deepInclude(started, { _tag: "Started", through: at(15) })
      assert.strictEqual(isWhole(vendor, tape, "15s"), 7)
      const last = eventsOf(tape).findLast(isRows)
      assert.strictEqual(last?.through, at(120))
      // Those of a minute are the vendor's own, and no others.
      const market = yield* MarketStreams
      assert.strictEqual(vendor.stream?.opened(), 1)
      yield* record([built("1m")])
      assert.strictEqual((yield* market.states).length, 3)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("one upstream for them and for who wants the shorter ones; the longest that fits is taken", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      yield* atStart
      const [short, long] = [yield* record([fives()]), yield* record([built("10s"), built("5m")])]
      yield* pass(61 * second)
      // The first is the one that was over when they were opened.
      assert.strictEqual(rowsOf(short).length, 13)
      assert.strictEqual(rowsOf(long).length, 6)
      const market = yield* MarketStreams
      const streams = (yield* market.states).map(({ key }) => key.timeframe)
      // Five minutes are made of the vendor's minutes.
      assert.deepStrictEqual(streams.sort(), ["10s", "1m", "5m", "5s"])
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("a gap: none is told while a part of it may be missing; then all, in order, repaired", () => {
    const vendor = vendorOf({ faults: [{ kind: "disconnect", start: at(67), end: at(98) }] })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([built("15s")])
      yield* pass(97 * second)
      assert.deepInclude(eventsOf(tape).at(-1), { _tag: "Gap", from: at(60) })
      assert.strictEqual(rowsOf(tape).length, 4)
      yield* pass(120 * second)
      assert.isAtLeast(isWhole(vendor, tape, "15s"), 12)
      assert.deepStrictEqual(tags(tape), ["Started", "DataType", "Bars", "Gap", "Resumed", "Bars", "Repaired", "Bars"])
      const repaired = eventsOf(tape).find(({ _tag }) => _tag === "Repaired")
      assert.isTrue(repaired?._tag === "Repaired" && repaired.from === at(60) && repaired.rows >= 3)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("a part that cannot be had: the bars that lack it are told as missing, and never as whole", () => {
    const vendor = vendorOf(
      { faults: [{ kind: "gap", start: at(67), end: at(98) }] },
      {
        trouble: ({ range }) =>
          range.start < at(85) && range.end > at(70) ? new Unavailable({ message: "it is down" }) : null
      }
    )
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([built("15s")])
      yield* pass(300 * second)
      const { missing } = promised(tape)
      assert.isAbove(missing.length, 0)
      for (const { end, start } of missing) {
        assert.strictEqual(Timeframe.floor("15s", start), start)
        assert.strictEqual(Timeframe.floor("15s", end), end)
      }
      assert.isAbove(isWhole(vendor, tape, "15s"), 10)
      const told = eventsOf(tape).find(({ _tag }) => _tag === "Unrepairable")
      assert.isTrue(told?._tag === "Unrepairable" && told.job !== null)
    }).pipe(Effect.provide(over(vendor, { repairPatience: 10_000 })))
  })

  it.effect("who joins late is told the newest whole one as a snapshot, and each after it", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      yield* atStart
      const first = yield* record([built("15s")])
      yield* pass(50 * second)
      const late = yield* record([built("15s")])
      const [started, , snapshot] = eventsOf(late)
      assert.deepInclude(started, { _tag: "Started", through: at(45) })
      assert.isTrue(snapshot?._tag === "Bars" && snapshot.snapshot && snapshot.rows[0]?.ts === at(30))
      yield* pass(60 * second)
      assert.deepStrictEqual(rowsOf(late), rowsOf(first).slice(-rowsOf(late).length))
      assert.strictEqual(rowsOf(late).length, 4)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("those of a day, and those that nothing fits into, are refused as before", () =>
    Effect.gen(function* () {
      const market = yield* MarketStreams
      for (const timeframe of ["1d", "1s"] as const) {
        const failure = yield* Effect.flip(market.keys({ vendor: "model", streams: [built(timeframe)] }))
        assert.include(failure.message, "bars of 5s and 1m")
      }
    }).pipe(Effect.provide(over(vendorOf())))
  )
})

describe("mergedBar", () => {
  const bar = (parts: Partial<Bar>): Bar => ({
    ts: 0,
    open: 10,
    high: 11,
    low: 9,
    close: 10,
    volume: 4,
    vwap: 10,
    count: 2,
    ...parts
  })

  it("is what a sum over all is; where one lacks a figure there is none", () => {
    const two = mergedBar(60_000, [
      bar({}),
      bar({ ts: 5_000, open: 20, high: 25, low: 8, close: 21, volume: 12, vwap: 22 })
    ])
    assert.deepStrictEqual(two, { ts: 60_000, open: 10, high: 25, low: 8, close: 21, volume: 16, vwap: 19, count: 4 })
    assert.deepInclude(mergedBar(0, [bar({}), bar({ volume: null })]), { volume: null, vwap: null, count: 4 })
    assert.deepInclude(mergedBar(0, [bar({}), bar({ volume: 0, vwap: null })]), { volume: 4, vwap: 10 })
    assert.deepInclude(mergedBar(0, [bar({ volume: 0, vwap: null, count: null })]), {
      volume: 0,
      vwap: null,
      count: null
    })
  })
})
