/**
 * The catalogues in examples/ read real files; what they give is compared with a second reading that shares no code with
 * the adapter: unzip from node:zlib, split by line and comma, dates by Intl.
 */
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { inflateRawSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import type { Bar } from "../../../../src/domain/Bar.ts"
import * as FileAdapter from "../../../../src/layers/adapters/file/FileAdapter.ts"
import * as TapestryConfig from "../../../../src/layers/config/TapestryConfig.ts"
import { ask, between, platform } from "./support.ts"

const project = fileURLToPath(new URL("../../../../", import.meta.url))
const lean = fileURLToPath(new URL("../../../../../shared/data/market/lean/Data/", import.meta.url))
const hasLean = existsSync(lean)
if (!hasLean) console.log("skipped: 7 tests of the LEAN catalogues (their data is not beside the project)")
const real = hasLean ? it.effect : it.effect.skip

const vendor = Effect.fnUntraced(function* (name: string) {
  const config = yield* TapestryConfig.load(`${project}examples/catalogues/${name}.yaml`)
  const [first] = config.vendors
  if (first?.adapter !== "file") return yield* Effect.die(`no vendor in ${name}.yaml`)
  return yield* FileAdapter.make(first, { dataDir: "/nowhere" })
})

/** The only member of a zip, by its central directory. */
const unzipOnly = (file: string): string => {
  const bytes = readFileSync(file)
  const end = bytes.lastIndexOf(Buffer.from("PK\u0005\u0006", "latin1"))
  assert.strictEqual(bytes.readUInt16LE(end + 10), 1)
  const central = bytes.readUInt32LE(end + 16)
  const size = bytes.readUInt32LE(central + 20)
  const local = bytes.readUInt32LE(central + 42)
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  return inflateRawSync(bytes.subarray(start, start + size)).toString("utf8")
}

const rowsOf = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => line.split(","))

interface Naive {
  readonly ts: number
  readonly values: ReadonlyArray<number>
}

/** What a reading without the adapter gives: the stamp, then open, high, low, close, volume. */
const naive = (
  rows: ReadonlyArray<ReadonlyArray<string>>,
  stamp: (first: string) => number,
  columns: ReadonlyArray<number>,
  scale: number
): ReadonlyArray<Naive> =>
  rows
    .filter((row) => row[columns[0] ?? 1] !== "")
    .map((row) => ({
      ts: stamp(row[0] ?? ""),
      values: columns.map((column, index) => Number(row[column]) / (index < 4 ? scale : 1))
    }))

const valuesOf = (bar: Bar): ReadonlyArray<number | null> => [bar.open, bar.high, bar.low, bar.close, bar.volume]

const same = (bars: ReadonlyArray<Bar>, expected: ReadonlyArray<Naive>, fields = 5) => {
  assert.strictEqual(bars.length, expected.length)
  assert.isAbove(bars.length, 0)
  const sums = [0, 0, 0, 0, 0]
  const wanted = [0, 0, 0, 0, 0]
  for (const [index, bar] of bars.entries()) {
    const row = expected[index]
    assert.strictEqual(bar.ts, row?.ts)
    for (let field = 0; field < fields; field++) {
      assert.strictEqual(valuesOf(bar)[field], row?.values[field])
      sums[field] = (sums[field] ?? 0) + (valuesOf(bar)[field] ?? 0)
      wanted[field] = (wanted[field] ?? 0) + (row?.values[field] ?? 0)
    }
  }
  assert.deepStrictEqual(sums, wanted)
}

const dateStamp = (text: string): number =>
  Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6, 8)))

/** New York was four hours behind UTC on all the days of these files. */
const newYork = (day: string) => (text: string) => Date.parse(`${day}T04:00:00Z`) + Number(text)
const utcDay = (day: string) => (text: string) => Date.parse(`${day}T00:00:00Z`) + Number(text)

const trade = [1, 2, 3, 4, 5]
const bid = [1, 2, 3, 4, 5]
const ask11 = [6, 7, 8, 9, 10]

describe("catalogues", () => {
  real("daily equity: SPY, zipped, prices times 10,000", () =>
    Effect.gen(function* () {
      const adapter = yield* vendor("lean-equity")
      const got = yield* ask(adapter, { symbol: "spy", timeframe: "1d" }, between("1990-01-01", "2030-01-01"))
      same(got.bars, naive(rowsOf(unzipOnly(`${lean}equity/usa/daily/spy.zip`)), dateStamp, trade, 10_000))
      assert.strictEqual(got.bars.length, 5849)
      assert.deepStrictEqual(got.bars[0], {
        ts: Date.UTC(1998, 0, 2),
        open: 97.31,
        high: 97.53,
        low: 96.53,
        close: 97.36,
        volume: 2_150_000,
        vwap: null,
        count: null
      })
      assert.strictEqual(got.positions[0], 1)
      assert.deepStrictEqual(yield* got.locate(got.positions.at(-1) ?? 0), {
        label: "line 5849 of spy.csv in daily/spy.zip",
        text: "20210331 00:00,3953500,3980000,3953300,3963300,90673494"
      })
      assert.deepStrictEqual(yield* adapter.symbols, ["AAPL", "IBM", "SPY"])
    }).pipe(Effect.provide(platform))
  )

  for (const [symbol, day] of [
    ["SPY", "2013-10-07"],
    ["AAPL", "2014-06-09"]
  ] as const) {
    real(`minute equity: ${symbol} on ${day}, New York time`, () =>
      Effect.gen(function* () {
        const adapter = yield* vendor("lean-equity")
        const range = between(`${day}T04:00:00Z`, `${day}T23:59:00Z`)
        const got = yield* ask(adapter, { symbol, timeframe: "1m" }, range)
        const file = `${lean}equity/usa/minute/${symbol.toLowerCase()}/${day.replaceAll("-", "")}_trade.zip`
        const expected = naive(rowsOf(unzipOnly(file)), newYork(day), trade, 10_000)
        same(
          got.bars,
          expected.filter((row) => row.ts < range.end)
        )
      }).pipe(Effect.provide(platform))
    )
  }

  real("minute quotes: the bid bars and the ask bars of one file are two series", () =>
    Effect.gen(function* () {
      const adapter = yield* vendor("lean-equity")
      const range = between("2013-10-07T04:00:00Z", "2013-10-08T04:00:00Z")
      const rows = rowsOf(unzipOnly(`${lean}equity/usa/minute/spy/20131007_quote.zip`))
      const bids = yield* ask(adapter, { symbol: "SPY", timeframe: "1m", price: "bid" }, range)
      const asks = yield* ask(adapter, { symbol: "SPY", timeframe: "1m", price: "ask" }, range)
      same(bids.bars, naive(rows, newYork("2013-10-07"), bid, 10_000))
      same(asks.bars, naive(rows, newYork("2013-10-07"), ask11, 10_000))
      assert.strictEqual(bids.decoding.series.price, "bid")
      assert.strictEqual(asks.decoding.series.price, "ask")
      assert.notDeepEqual(bids.decoding.request.params, asks.decoding.request.params)
    }).pipe(Effect.provide(platform))
  )

  real("forex: EURUSD quotes of a day in UTC, without volume", () =>
    Effect.gen(function* () {
      const adapter = yield* vendor("lean-forex")
      const range = between("2014-05-01", "2014-05-02")
      const rows = rowsOf(unzipOnly(`${lean}forex/oanda/minute/eurusd/20140501_quote.zip`))
      const bids = yield* ask(adapter, { symbol: "EURUSD", timeframe: "1m", price: "bid" }, range)
      same(bids.bars, naive(rows, utcDay("2014-05-01"), bid, 1), 4)
      const asks = yield* ask(adapter, { symbol: "eurusd", timeframe: "1m", price: "ask" }, range)
      same(asks.bars, naive(rows, utcDay("2014-05-01"), ask11, 1), 4)
      assert.isTrue(bids.bars.every((bar) => bar.volume === null))
    }).pipe(Effect.provide(platform))
  )

  real("crypto: BTCUSD by day and by minute, with fractional volumes", () =>
    Effect.gen(function* () {
      const adapter = yield* vendor("lean-crypto")
      const daily = yield* ask(adapter, { symbol: "BTCUSD", timeframe: "1d" }, between("2014-01-01", "2019-01-01"))
      same(daily.bars, naive(rowsOf(unzipOnly(`${lean}crypto/coinbase/daily/btcusd_trade.zip`)), dateStamp, trade, 1))
      const minute = yield* ask(adapter, { symbol: "BTCUSD", timeframe: "1m" }, between("2018-04-04", "2018-04-05"))
      const file = `${lean}crypto/coinbase/minute/btcusd/20180404_trade.zip`
      same(minute.bars, naive(rowsOf(unzipOnly(file)), utcDay("2018-04-04"), trade, 1))
      assert.strictEqual(minute.bars[0]?.volume, 7.14319709)
    }).pipe(Effect.provide(platform))
  )

  real("the limits say where requests are cut: per day in New York for minutes, nowhere for days", () =>
    Effect.gen(function* () {
      const { limits } = yield* vendor("lean-equity")
      assert.deepStrictEqual(limits.timeframes["1m"]?.alignment, { unit: "day", zone: "America/New_York" })
      assert.isNull(limits.timeframes["1d"]?.alignment ?? null)
      assert.strictEqual(limits.finalityDelay, 0)
      assert.isNull(limits.earliest)
    }).pipe(Effect.provide(platform))
  )

  it.effect("a plain CSV: the S&P 500 of vega-datasets", () =>
    Effect.gen(function* () {
      const adapter = yield* vendor("vega")
      const got = yield* ask(adapter, { symbol: "SPX", timeframe: "1d" }, between("2000-01-01", "2021-01-01"))
      const text = readFileSync(`${project}node_modules/vega-datasets/data/sp500-2000.csv`, "utf8")
      same(
        got.bars,
        naive(rowsOf(text).slice(1), (date) => Date.parse(`${date}T00:00:00Z`), [1, 2, 3, 4, 6], 1)
      )
      assert.strictEqual(got.bars.length, 5105)
      assert.deepStrictEqual(got.positions.slice(0, 2), [2, 3])
      assert.deepStrictEqual(yield* got.locate(4712), {
        label: "line 4712 of sp500-2000.csv",
        text: text.split("\n")[4711] ?? ""
      })
    }).pipe(Effect.provide(platform))
  )

  it.effect("every catalogue in examples/ is a valid configuration of few lines", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = path.join(project, "examples", "catalogues")
      const names = yield* fs.readDirectory(directory)
      assert.isAtLeast(names.length, 4)
      yield* Effect.forEach(names, (name) => TapestryConfig.load(path.join(directory, name)))
    }).pipe(Effect.provide(platform))
  )
})
