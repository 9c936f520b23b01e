/** Bars as they are asked for and read, of bytes that the test writes down. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { answerBytes, readAnswer } from "../../../../src/layers/adapters/ibkr/answerBytes.ts"
import { barsParams, barsRequest } from "../../../../src/layers/adapters/ibkr/BarsRequest.ts"
import { asBarsSeries, barsSeriesOf } from "../../../../src/layers/adapters/ibkr/barsSeries.ts"
import { type BarTimeframe, barTerms } from "../../../../src/layers/adapters/ibkr/barTerms.ts"
import { decodeBars, locateBar } from "../../../../src/layers/adapters/ibkr/decodeBars.ts"
import { frameOf } from "../../../../src/layers/adapters/ibkr/frames.ts"
import type { SeriesQuery } from "../../../../src/services/Adapter.ts"

const at = (text: string) => Date.parse(text)
const rangeOf = (start: string, end: string) => ({ start: at(start), end: at(end) })

const seriesOf = (timeframe: BarTimeframe, over: Partial<SeriesQuery> = {}) =>
  Result.getOrThrow(barsSeriesOf("ibkr", { symbol: "AAPL", kind: "bar", timeframe, ...over }))

const asked = (timeframe: BarTimeframe, start: string, end: string, over: Partial<SeriesQuery> = {}) => {
  const { key, name } = seriesOf(timeframe, over)
  const request = barsRequest(key, name.contract, rangeOf(start, end))
  const params = barsParams(request)
  if (params === null) throw new Error("not a request of this adapter")
  return { request, params }
}

const seconds = (text: string) => at(text) / 1000

const minutes = [
  [seconds("2026-04-09T13:30:00Z"), "187.1", "187.6", "187", "187.5", "12345.5", "187.25", 321],
  [seconds("2026-04-09T13:31:00Z"), "187.5", "187.9", "187.4", "187.8", "-1", "-1", -1],
  [seconds("2026-04-09T13:32:00Z"), "187.8", "188.25", "187.7", "188.1", "77", "188", 5]
] as const

const answer = (rows: ReadonlyArray<ReadonlyArray<string | number>>) =>
  answerBytes(193, [frameOf([17, 100_000_001, "a", "b", rows.length, ...rows.flat()])])

describe("what IB is asked for", () => {
  for (const [timeframe, start, end, duration, endDateTime] of [
    ["1s", "2026-04-09T13:30:00Z", "2026-04-09T14:00:00Z", "1800 S", "20260409-14:00:00"],
    ["1s", "2026-04-09T13:30:00Z", "2026-04-09T13:30:05Z", "30 S", "20260409-13:30:05"],
    ["1m", "2026-04-09T00:00:00Z", "2026-04-10T00:00:00Z", "86400 S", "20260410-00:00:00"],
    ["5m", "2026-04-03T00:00:00Z", "2026-04-08T23:59:59.250Z", "7 D", "20260409-00:00:00"],
    ["1d", "2025-04-10T00:00:00Z", "2026-04-09T00:00:00Z", "365 D", "20260409-00:00:00"],
    ["1w", "2026-03-30T00:00:00Z", "2026-04-13T00:00:00Z", "3 W", "20260413-00:00:00"],
    ["1mo", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", "4 M", "20260401-00:00:00"]
  ] as const) {
    it(`${timeframe} from ${start} to ${end}: ${duration}`, () => {
      const { params } = asked(timeframe, start, end)
      assert.strictEqual(params.query.duration, duration)
      assert.strictEqual(params.query.endDateTime, endDateTime)
      assert.strictEqual(params.query.barSize, barTerms[timeframe].size)
    })
  }

  it("small bars count for the pacing of history, longer ones do not", () => {
    const { request } = asked("5s", "2026-04-09T13:30:00Z", "2026-04-09T14:00:00Z")
    assert.strictEqual(request.keys.history, "all")
    assert.strictEqual(request.keys.contract, "AAPL/USD/TRADES")
    assert.deepStrictEqual(asked("1m", "2026-04-09T13:30:00Z", "2026-04-09T14:00:00Z").request.keys, {})
  })

  it("a series is one identity, however it is asked for", () => {
    assert.deepStrictEqual(seriesOf("1m", { symbol: " aapl@smart " }).key, seriesOf("1m").key)
    const { key } = seriesOf("1h", { symbol: "EUR.USD" })
    assert.deepStrictEqual([key.price, key.session, key.currency, key.adjustment], ["mid", "all", "USD", "splits"])
    assert.deepStrictEqual(Result.getOrThrow(asBarsSeries(key)).key, key)
    assert.isTrue(Result.isFailure(asBarsSeries({ ...key, symbol: "eur.usd" })))
    for (const over of [
      { kind: "trade", timeframe: null },
      { timeframe: "3mo" },
      { adjustment: "raw" },
      { session: "extended" },
      { dataset: "x" },
      { symbol: "EUR.USD", price: "trade" }
    ] as const) {
      const found = barsSeriesOf("ibkr", { symbol: "AAPL", kind: "bar", timeframe: "1m", ...over })
      assert.isTrue(Result.isFailure(found) && found.failure._tag === "Unsupported", JSON.stringify(over))
    }
  })
})

describe("what IB answered", () => {
  const whole = rangeOf("2026-04-09T13:30:00Z", "2026-04-09T13:33:00Z")
  const { params } = asked("1m", "2026-04-09T13:30:00Z", "2026-04-09T13:33:00Z")

  it.effect("rows in the range, -1 as what is not known, with the piece behind each", () =>
    Effect.gen(function* () {
      const bytes = answer(minutes)
      const { bars, positions } = yield* decodeBars(bytes, params, { ...whole, start: whole.start + 60_000 })
      assert.deepStrictEqual(positions, [1, 2])
      assert.deepStrictEqual(bars[0], {
        ts: at("2026-04-09T13:31:00Z"),
        open: 187.5,
        high: 187.9,
        low: 187.4,
        close: 187.8,
        volume: null,
        vwap: null,
        count: null
      })
      assert.strictEqual(bars[1]?.vwap, 188)
      const piece = locateBar(bytes, 1)
      assert.strictEqual(piece?.label, "row 1")
      assert.strictEqual(JSON.parse(piece?.text ?? "").wap, "-1")
      assert.isNull(locateBar(bytes, 3))
      assert.isNull(locateBar(bytes.subarray(3), 0))
    })
  )

  it.effect("dates of days, of weeks their Monday, of months their first", () =>
    Effect.gen(function* () {
      const row = (date: string) => [date, 1, 2, 1, 2, 3, 1.5, 4]
      for (const [timeframe, date, stamp] of [
        ["1d", "20260409", "2026-04-09"],
        ["1w", "20260410", "2026-04-06"],
        ["1mo", "20260430", "2026-04-01"]
      ] as const) {
        const { params } = asked(timeframe, "2026-04-01", "2026-05-01")
        const { bars } = yield* decodeBars(answer([row(date)]), params, rangeOf("2026-04-01", "2026-05-01"))
        assert.deepStrictEqual(
          bars.map(({ ts }) => new Date(ts).toISOString().slice(0, 10)),
          [stamp]
        )
      }
    })
  )

  it.effect("no data is an answer without rows; another error is none", () =>
    Effect.gen(function* () {
      const said = (code: number, text: string) => answerBytes(193, [frameOf([4, 2, 100_000_001, code, text, ""])])
      const none = yield* decodeBars(said(162, "HMDS query returned no data: AAPL@SMART Trades"), params, whole)
      assert.deepStrictEqual(none.bars, [])
      const error = yield* Effect.flip(decodeBars(said(162, "pacing violation"), params, whole))
      assert.match(error.message, /it is an error: pacing violation/)
    })
  )

  for (const [what, bytes] of [
    ["no header", frameOf([17, 1, "a", "b", 0])],
    ["nothing", new Uint8Array(0)],
    ["a header alone", answerBytes(193, [])],
    ["another message", answerBytes(193, [frameOf([49, 1, 1])])],
    ["fewer rows than it says", answerBytes(193, [frameOf([17, 1, "a", "b", 4, ...minutes.flat()])])],
    ["a negative count", answerBytes(193, [frameOf([17, 1, "a", "b", -1])])],
    ["a frame cut off", answer(minutes).subarray(0, -3)],
    ["a time that is none", answer([["yesterday", 1, 2, 1, 2, 3, 1, 1]])],
    ["a price that is none", answer([[minutes[0][0], "", 2, 1, 2, 3, 1, 1]])],
    ["a high below the low", answer([[minutes[0][0], 2, 1, 2, 2, 3, 1, 1]])]
  ] as const) {
    it.effect(`${what} is malformed`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(decodeBars(bytes, params, whole)))._tag, "Malformed")
      })
    )
  }

  it("the bytes of an answer are golden", () => {
    const bytes = answerBytes(193, [frameOf([88, 7, "727622400"])])
    assert.strictEqual(
      Buffer.from(bytes).toString("latin1"),
      "\0\0\0\u0014tapestry.ibkr\u00001\u0000193\u0000\0\0\0\u000f88\u00007\u0000727622400\u0000"
    )
    assert.deepStrictEqual(Result.getOrThrow(readAnswer(bytes)), {
      serverVersion: 193,
      messages: [["88", "7", "727622400"]]
    })
  })
})
