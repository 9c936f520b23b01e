/** The pitfalls that docs/vendors/yahoo.md numbers, as far as they are in the bytes; those of the connection are in server.test.ts. */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { refusalOf } from "../../../../src/layers/adapters/yahoo/chartError.ts"
import { between, chart, decodeBody, faultOf, seconds, stampsOf, utc } from "./support.ts"

const year = between("2024-01-01", "2025-01-01")
const daily = { timeframe: "1d", range: year } as const
const closes = (bars: ReadonlyArray<{ readonly close: number }>) => bars.map(({ close }) => close)

const saying = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
  refusalOf({ status, headers, body: new TextEncoder().encode(body) }, { now: utc("2026-11-29"), rest: 60_000 })
const errorBody = (code: string, description: string, of = "chart") =>
  JSON.stringify({ [of]: { result: null, error: { code, description } } })

const nyse = (open: string, close: string) => ({
  timezone: "EST",
  start: seconds(open),
  end: seconds(close),
  gmtoffset: -18000
})
const intraday = (interval: string, day: string, more: Readonly<Record<string, unknown>> = {}) => ({
  dataGranularity: interval,
  tradingPeriods: [[nyse(`${day}T14:30:00Z`, `${day}T21:00:00Z`)]],
  ...more
})

describe("pitfalls of Yahoo's charts", () => {
  it("Y01 a body that only says too many requests is Throttled, whatever its status", () => {
    assert.strictEqual(saying(200, "Too Many Requests\r\n")?._tag, "Throttled")
    assert.strictEqual(saying(200, errorBody("Too Many Requests", "Too Many Requests", "finance"))?._tag, "Throttled")
  })

  it("Y02 429 is Throttled, as text and as a page, for as long as it asks", () => {
    assert.deepInclude(saying(429, "Too Many Requests\r\n"), { _tag: "Throttled", retryAfter: 60_000 })
    assert.deepInclude(saying(429, "<html><h1>Sorry</h1></html>", { "retry-after": "7" }), { retryAfter: 7_000 })
    assert.strictEqual(saying(429, errorBody("Not Found", "No data found"))?._tag, "Throttled")
  })

  it("Y03 an invalid crumb is Rejected in Yahoo's words, not taken for a lack of rights", () => {
    assert.deepInclude(saying(401, errorBody("Unauthorized", "Invalid Crumb", "finance")), {
      _tag: "Rejected",
      message: "HTTP 401: Invalid Crumb"
    })
  })

  it.effect("Y04 half hours are made of quarters, counted from the opening", () =>
    Effect.gen(function* () {
      const india = (time: string) => `2024-01-02T${time}:00Z`
      const body = chart({
        timestamp: ["03:30", "03:45", "04:00", "04:15", "04:45", "05:00"].map(india),
        open: [9, 10, 20, 30, 40, 50],
        high: [9, 15, 25, 35, 45, 55],
        low: [9, 8, 18, 28, 38, 48],
        close: [9, 14, 24, 34, 44, 54],
        volume: [9, 100, 200, 300, 400, null],
        meta: {
          dataGranularity: "15m",
          exchangeTimezoneName: "Asia/Kolkata",
          tradingPeriods: [[nyse(india("03:45"), india("10:00"))]]
        }
      })
      const asked = { timeframe: "30m", range: between(india("03:45"), india("05:15")) } as const
      const { bars, positions } = yield* decodeBody(body, asked)
      assert.deepStrictEqual(stampsOf(bars), [
        "2024-01-02T03:45:00.000Z",
        "2024-01-02T04:15:00.000Z",
        "2024-01-02T04:45:00.000Z"
      ])
      assert.deepInclude(bars[0], { open: 10, high: 25, low: 8, close: 24, volume: 300 })
      // One of its quarters had no trade.
      assert.deepInclude(bars[1], { open: 30, high: 35, low: 28, close: 34, volume: 300 })
      assert.deepInclude(bars[2], { open: 40, high: 55, low: 38, close: 54, volume: 400 })
      assert.deepStrictEqual(positions, [1, 3, 4])
      // A range that begins inside a half hour has not that half hour.
      const later = yield* decodeBody(body, { ...asked, range: between(india("04:00"), india("05:15")) })
      assert.deepStrictEqual(stampsOf(later.bars), ["2024-01-02T04:15:00.000Z", "2024-01-02T04:45:00.000Z"])
    })
  )

  it.effect("Y05 a row at or behind the end is left out", () =>
    Effect.gen(function* () {
      const body = chart({
        timestamp: ["2024-12-30T14:30:00Z", "2024-12-31T14:30:00Z", "2025-01-02T14:30:00Z"],
        close: [1, 2, 3]
      })
      const { bars, tally } = yield* decodeBody(body, daily)
      assert.deepStrictEqual(closes(bars), [1, 2])
      assert.strictEqual(tally.outside, 1)
    })
  )

  it.effect("Y06 the live row and the row of the same day are one bar, the live one", () =>
    Effect.gen(function* () {
      const body = chart({
        timestamp: ["2024-11-26T14:30:00Z", "2024-11-27T14:30:00Z", "2024-11-27T20:00:01Z"],
        close: [10, 11, 12],
        meta: { regularMarketTime: seconds("2024-11-27T20:00:01Z") }
      })
      const { bars, positions, tally } = yield* decodeBody(body, daily)
      assert.deepStrictEqual(stampsOf(bars), ["2024-11-26T00:00:00.000Z", "2024-11-27T00:00:00.000Z"])
      assert.deepStrictEqual(closes(bars), [10, 12])
      assert.deepStrictEqual(positions, [0, 2])
      assert.strictEqual(tally.live, 1)
    })
  )

  it.effect("Y07 the live row goes into the week, month or quarter that it belongs to", () =>
    Effect.gen(function* () {
      const parts = {
        open: [10, 20, 26],
        high: [15, 25, 30],
        low: [9, 19, 18],
        close: [14, 24, 27],
        volume: [100, 200, 50]
      }
      const week = yield* decodeBody(
        chart({
          ...parts,
          timestamp: ["2024-11-18T05:00:00Z", "2024-11-25T05:00:00Z", "2024-11-27T20:00:01Z"],
          meta: { dataGranularity: "1wk" }
        }),
        { timeframe: "1w", range: between("2024-11-18", "2024-12-02") }
      )
      assert.deepStrictEqual(stampsOf(week.bars), ["2024-11-18T00:00:00.000Z", "2024-11-25T00:00:00.000Z"])
      assert.deepInclude(week.bars[1], { open: 20, high: 30, low: 18, close: 27, volume: 250 })
      for (const [timeframe, dataGranularity] of [
        ["1mo", "1mo"],
        ["3mo", "3mo"]
      ] as const) {
        const { bars } = yield* decodeBody(
          chart({
            ...parts,
            timestamp: ["2024-07-01T04:00:00Z", "2024-10-01T04:00:00Z", "2024-10-29T20:00:01Z"],
            meta: { dataGranularity }
          }),
          { timeframe, range: between("2024-07-01", "2025-01-01") }
        )
        assert.deepStrictEqual(stampsOf(bars), ["2024-07-01T00:00:00.000Z", "2024-10-01T00:00:00.000Z"])
        assert.deepInclude(bars[1], { open: 20, high: 30, low: 18, close: 27, volume: 250 })
      }
    })
  )

  it.effect("Y08 the live row of an intraday chart goes into the bar that is open", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-11-27T15:00:00Z", "2024-11-27T15:05:00Z", "2024-11-27T15:07:12Z"]
      const meta = intraday("5m", "2024-11-27", { regularMarketTime: seconds("2024-11-27T15:07:12Z") })
      const range = between("2024-11-27T14:30:00Z", "2024-11-27T15:10:00Z")
      const { bars } = yield* decodeBody(chart({ timestamp, close: [1, 2, 3], volume: [5, 6, 0], meta }), {
        timeframe: "5m",
        range
      })
      assert.deepStrictEqual(stampsOf(bars), ["2024-11-27T15:00:00.000Z", "2024-11-27T15:05:00.000Z"])
      assert.deepInclude(bars[1], { open: 2, high: 3, low: 2, close: 3, volume: 6 })
      // Where the bar has no row yet, the live one begins it.
      const alone = yield* decodeBody(
        chart({ timestamp: [timestamp[0] ?? "", timestamp[2] ?? ""], close: [1, 3], meta }),
        { timeframe: "5m", range }
      )
      assert.deepStrictEqual(stampsOf(alone.bars), ["2024-11-27T15:00:00.000Z", "2024-11-27T15:05:00.000Z"])
      // The price of the close, stamped at the close, is no bar of the session.
      const after = yield* decodeBody(
        chart({
          timestamp: ["2024-11-27T20:55:00Z", "2024-11-27T21:00:01Z"],
          close: [1, 2],
          meta: intraday("5m", "2024-11-27", { regularMarketTime: seconds("2024-11-27T21:00:01Z") })
        }),
        { timeframe: "5m", range: between("2024-11-27T14:30:00Z", "2024-11-28T00:00:00Z") }
      )
      assert.deepStrictEqual(stampsOf(after.bars), ["2024-11-27T20:55:00.000Z"])
      // Nor when a row that nobody asked for comes behind it, of a share that trades in regular hours only.
      const followed = yield* decodeBody(
        chart({
          timestamp: ["2024-11-27T20:55:00Z", "2024-11-27T21:00:01Z", "2024-11-28T21:30:00Z"],
          close: [1, 2, 3],
          meta: intraday("5m", "2024-11-27", {
            regularMarketTime: seconds("2024-11-27T21:00:01Z"),
            hasPrePostMarketData: false
          })
        }),
        { timeframe: "5m", range: between("2024-11-27T14:30:00Z", "2024-11-27T21:30:00Z") }
      )
      assert.deepStrictEqual(stampsOf(followed.bars), ["2024-11-27T20:55:00.000Z"])
    })
  )

  it.effect("Y09 rows of nulls are dropped and counted, rows of which a part is null are reported", () =>
    Effect.gen(function* () {
      const body = chart({
        timestamp: ["2024-01-02T14:30:00Z", "2024-01-03T14:30:00Z", "2024-01-04T14:30:00Z"],
        open: [1, null, null],
        high: [1, null, 3],
        low: [1, null, 3],
        close: [1, null, 3],
        volume: [7, null, 9]
      })
      const { bars, rejected, tally } = yield* decodeBody(body, daily)
      assert.deepStrictEqual(closes(bars), [1])
      assert.strictEqual(tally.nulls, 1)
      assert.deepStrictEqual(rejected, [{ position: 2, reason: "open is null while the other prices are not" }])
    })
  )

  it.effect("Y10 rows outside of regular trading are left out where they were not asked for", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-01-02T14:00:00Z", "2024-01-02T14:30:00Z", "2024-01-02T20:45:00Z", "2024-01-02T21:00:00Z"]
      const range = between("2024-01-02", "2024-01-03")
      const half = intraday("15m", "2024-01-02")
      const full = { regular: half.tradingPeriods, pre: [[]], post: [[]] }
      // Without the periods of the day, those of the current one tell its hours, in summer by the clock of summer.
      const { tradingPeriods: _, ...bare } = half
      const current = { currentTradingPeriod: { regular: nyse("2024-07-01T13:30:00Z", "2024-07-01T20:00:00Z") } }
      for (const meta of [half, { ...half, tradingPeriods: full }, { ...bare, ...current }]) {
        const body = chart({ timestamp, close: [1, 2, 3, 4], meta })
        const regular = yield* decodeBody(body, { timeframe: "15m", range })
        assert.deepStrictEqual(closes(regular.bars), [2, 3])
        assert.strictEqual(regular.tally.outside, 2)
        const extended = yield* decodeBody(body, { timeframe: "15m", range, session: "extended" })
        assert.deepStrictEqual(closes(extended.bars), [1, 4])
        const all = yield* decodeBody(body, { timeframe: "15m", range, session: "all" })
        assert.deepStrictEqual(closes(all.bars), [1, 2, 3, 4])
      }
      // A market that never closes is listed as closing a minute early.
      const crypto = {
        ...half,
        hasPrePostMarketData: false,
        tradingPeriods: [[nyse("2024-01-02T00:00:00Z", "2024-01-02T13:59:00Z")]]
      }
      const never = yield* decodeBody(chart({ timestamp, close: [1, 2, 3, 4], meta: crypto }), {
        timeframe: "15m",
        range
      })
      assert.deepStrictEqual(closes(never.bars), [1, 2, 3, 4])
    })
  )

  it.effect("Y11 stamps an hour or two before midnight are the next day's", () =>
    Effect.gen(function* () {
      const body = chart({
        timestamp: ["2024-03-27T00:00:00Z", "2024-03-27T23:00:00Z", "2024-03-31T22:00:00Z", "2024-03-31T22:00:00Z"],
        close: [1, 2, 3, 4],
        meta: { exchangeTimezoneName: "UTC", hasPrePostMarketData: false }
      })
      const { bars } = yield* decodeBody(body, daily)
      assert.deepStrictEqual(stampsOf(bars), [
        "2024-03-27T00:00:00.000Z",
        "2024-03-28T00:00:00.000Z",
        "2024-04-01T00:00:00.000Z"
      ])
      // A live row at 22:00 sharp is of its own day.
      const live = chart({
        timestamp: ["2024-03-27T00:00:00Z", "2024-03-27T22:00:00Z"],
        close: [1, 2],
        meta: { exchangeTimezoneName: "UTC", regularMarketTime: seconds("2024-03-27T22:00:00Z") }
      })
      assert.deepStrictEqual(closes((yield* decodeBody(live, daily)).bars), [2])
    })
  )

  it.effect("Y12 dates are those of the exchange's zone at the time of the bar, not of today's offset", () =>
    Effect.gen(function* () {
      const summer = ["2024-07-01T13:30:00Z", "2024-12-02T14:30:00Z"]
      const sydney = ["2024-01-01T23:00:00Z", "2024-07-02T00:00:00Z"]
      for (const gmtoffset of [-18000, 39600]) {
        const york = yield* decodeBody(chart({ timestamp: summer, close: [1, 2], meta: { gmtoffset } }), daily)
        assert.deepStrictEqual(stampsOf(york.bars), ["2024-07-01T00:00:00.000Z", "2024-12-02T00:00:00.000Z"])
        const meta = { gmtoffset, exchangeTimezoneName: "Australia/Sydney" }
        const east = yield* decodeBody(chart({ timestamp: sydney, close: [1, 2], meta }), daily)
        assert.deepStrictEqual(stampsOf(east.bars), ["2024-01-02T00:00:00.000Z", "2024-07-02T00:00:00.000Z"])
      }
      const nowhere = chart({ timestamp: summer, close: [1, 2], meta: { exchangeTimezoneName: "Mars/Olympus" } })
      assert.strictEqual(yield* faultOf(nowhere, daily), "Malformed: there is no zone Mars/Olympus")
    })
  )

  it.effect("Y13 of rows with one stamp the first is kept, and rows out of order are put in order", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-01-02T14:30:00Z", "2024-01-02T14:30:00Z", "2024-01-04T14:30:00Z", "2024-01-03T14:30:00Z"]
      const { bars, positions, tally } = yield* decodeBody(
        chart({ timestamp: [...timestamp, "2024-01-05T14:30:00Z"], close: [1, 9, 3, 2, 4] }),
        daily
      )
      assert.deepStrictEqual(closes(bars), [1, 2, 3, 4])
      assert.deepStrictEqual(positions, [0, 3, 2, 4])
      assert.strictEqual(tally.duplicates, 1)
    })
  )

  it.effect("Y14 an event is dated by its date, not by the key of its map", () =>
    Effect.gen(function* () {
      const { actions } = yield* decodeBody(
        chart({
          timestamp: ["1985-01-01T14:30:00Z"],
          close: [100],
          events: { dividends: { "473403600": { amount: 0.25, date: 330960600 } } }
        }),
        { timeframe: "1d", range: between("1980-01-01", "1986-01-01") }
      )
      assert.deepStrictEqual(actions?.rows, [
        { ts: utc("1980-06-27"), kind: "dividend", amount: 0.25, currency: "USD" }
      ])
    })
  )

  it.effect("Y15 prices are the decimals that the widened floats stand for", () =>
    Effect.gen(function* () {
      const decimals = [129.04, 75.0875, 0.0123, 1.1220826, 741971.25, 7174.9443, 112, 0.1, 99999.99, 1286.57]
      const timestamp = decimals.map((_, index) => utc("2024-01-02T14:30:00Z") / 1000 + index * 86_400)
      const widened = yield* decodeBody(chart({ timestamp, close: decimals.map(Math.fround) }), daily)
      assert.deepStrictEqual(closes(widened.bars), decimals)
      // What is no widened float (the price of this moment) stays as it is, to its last digit.
      const exact = [220.003, 129.04, 1.12208259105, 97208.17, 1e-7, 123456.78901234567]
      const kept = yield* decodeBody(chart({ timestamp: timestamp.slice(0, exact.length), close: exact }), daily)
      assert.deepStrictEqual(closes(kept.bars), exact)
    })
  )

  it.effect("Y16 splits are undone for raw bars by the events of the same body, dividends worked in by adjclose", () =>
    Effect.gen(function* () {
      const parts = {
        timestamp: ["2020-08-28T13:30:00Z", "2020-08-31T13:30:00Z"],
        close: [124.8075, 129.04].map(Math.fround),
        volume: [187_630_000, 225_702_700],
        adjclose: [122.1, 126.2].map(Math.fround),
        events: {
          splits: {
            "1": { date: seconds("2020-08-31T13:30:00Z"), numerator: 4, denominator: 1, splitRatio: "4:1" },
            // Announced: nothing is adjusted for it yet.
            "2": { date: seconds("2027-01-04T14:30:00Z"), numerator: 10, denominator: 1, splitRatio: "10:1" }
          }
        }
      }
      const range = between("2020-08-28", "2020-08-31")
      const raw = yield* decodeBody(chart(parts), { timeframe: "1d", range, adjustment: "raw" })
      assert.deepStrictEqual(closes(raw.bars), [499.23])
      assert.strictEqual(raw.bars[0]?.volume, 46_907_500)
      const splits = yield* decodeBody(chart(parts), { timeframe: "1d", range })
      assert.deepStrictEqual(closes(splits.bars), [124.8075])
      const all = yield* decodeBody(chart({ ...parts, open: [124, 128], high: [125, 130], low: [123, 127] }), {
        timeframe: "1d",
        range: between("2020-08-28", "2020-09-01"),
        adjustment: "all"
      })
      assert.deepStrictEqual(closes(all.bars), [122.1, 126.2])
      assert.closeTo(all.bars[0]?.open ?? 0, (124 * 122.1) / 124.8075, 1e-5)
      assert.strictEqual(all.bars[0]?.volume, 187_630_000)
    })
  )

  it.effect("Y17 prices in hundredths of a currency keep Yahoo's unit, and are refused under another", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-01-02T08:00:00Z"]
      for (const [unit, whole] of [
        ["GBp", "GBP"],
        ["ZAc", "ZAR"],
        ["ILA", "ILS"]
      ] as const) {
        const body = chart({
          timestamp,
          close: [1259.5],
          meta: { currency: unit, exchangeTimezoneName: "Europe/London" }
        })
        assert.deepStrictEqual(closes((yield* decodeBody(body, daily)).bars), [1259.5])
        assert.deepStrictEqual(closes((yield* decodeBody(body, { ...daily, currency: unit })).bars), [1259.5])
        assert.strictEqual(
          yield* faultOf(body, { ...daily, currency: whole }),
          `Rejected: AAPL is quoted in ${unit}, hundredths of ${whole}, not in ${whole}; nothing is converted: ask for currency ${unit}`
        )
      }
    })
  )

  it.effect("Y18 a null currency, a null first trade date and null volumes are no reason to fail", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-01-02T14:30:00Z"]
      const meta = { currency: null, firstTradeDate: null, exchangeName: null, instrumentType: null }
      const { bars, meta: read } = yield* decodeBody(chart({ timestamp, close: [5], volume: [null], meta }), daily)
      assert.strictEqual(bars[0]?.volume, null)
      assert.isNull(read?.currency)
    })
  )

  it.effect(
    "Y19 no timestamp and a quote without columns is an empty answer, prices without a timestamp are none",
    () =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* decodeBody(chart({}), daily)).bars, [])
        assert.deepStrictEqual((yield* decodeBody(chart({ timestamp: [], close: [] }), daily)).bars, [])
        const body = chart({ timestamp: ["2024-01-02T14:30:00Z"], close: [5] }).replace(/"timestamp":\[\d+\],/, "")
        assert.strictEqual(yield* faultOf(body, daily), "Malformed: the chart has prices without a timestamp")
      })
  )

  it.effect("Y20 without adjclose nothing is adjusted in silence", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-01-02T14:30:00Z", "2024-01-03T14:30:00Z"]
      const missing = chart({ timestamp, close: [5, 6] })
      assert.strictEqual(
        yield* faultOf(missing, { ...daily, adjustment: "all" }),
        "Malformed: the chart has no adjclose"
      )
      assert.deepStrictEqual(closes((yield* decodeBody(missing, daily)).bars), [5, 6])
      const holes = chart({ timestamp, close: [5, 6], adjclose: [4, null] })
      const { bars, rejected } = yield* decodeBody(holes, { ...daily, adjustment: "all" })
      assert.deepStrictEqual(closes(bars), [4])
      assert.strictEqual(rejected.length, 1)
    })
  )

  it("Y21 an unknown or delisted symbol is NotFound, a page with status 404 is not", () => {
    const delisted = "No data found, symbol may be delisted"
    assert.deepInclude(saying(404, errorBody("Not Found", delisted)), { _tag: "NotFound", message: delisted })
    assert.strictEqual(saying(404, "<html><body>404 page not found</body></html>")?._tag, "Rejected")
  })

  it.effect("Y22 'data doesn't exist' is an empty answer with its body for evidence", () =>
    Effect.gen(function* () {
      const body = errorBody("Bad Request", "Data doesn't exist for startDate = 1, endDate = 2")
      assert.isNull(saying(400, body))
      assert.deepStrictEqual((yield* decodeBody(body, daily)).bars, [])
      assert.deepInclude(saying(400, errorBody("Bad Request", "Invalid input - interval=7m is not supported")), {
        _tag: "Rejected"
      })
    })
  )

  it("Y23 what a span or an age forbids is Rejected in Yahoo's words", () => {
    for (const words of [
      "1m data not available for startTime=1 and endTime=2. The requested range must be within the last 30 days.",
      "Only 8 days worth of 1m granularity data are allowed to be fetched per request."
    ]) {
      assert.deepInclude(saying(422, errorBody("Unprocessable Entity", words)), {
        _tag: "Rejected",
        message: `HTTP 422: ${words}`
      })
    }
  })

  it("Y24 a page instead of a chart and every 5xx is Unavailable", () => {
    const page = "<html><head><title>x</title></head><body><h1>Will be right back...</h1></body></html>"
    for (const status of [200, 500, 502, 503]) assert.strictEqual(saying(status, page)?._tag, "Unavailable")
    assert.include(JSON.stringify(saying(200, page)), "Will be right back")
    assert.strictEqual(saying(503, page, { "retry-after": "5" })?._tag, "Throttled")
    assert.strictEqual(saying(500, errorBody("Internal Server Error", "upstream"))?._tag, "Unavailable")
  })

  it.effect("Y25 what is no chart, or breaks off anywhere, is Malformed and never a shorter answer", () =>
    Effect.gen(function* () {
      for (const body of [
        "{}",
        "[]",
        "",
        "null",
        '{"chart":{"result":[],"error":null}}',
        '{"quoteResponse":{"result":[]}}'
      ]) {
        assert.match(yield* faultOf(body, daily), /^Malformed: the body is no chart/)
      }
      const whole = new TextEncoder().encode(
        chart({ timestamp: ["2024-01-02T14:30:00Z", "2024-01-03T14:30:00Z"], close: [5.25, 6] })
      )
      for (let length = 0; length < whole.length; length++) {
        assert.match(yield* faultOf(whole.subarray(0, length), daily), /^Malformed/, `cut at ${length}`)
      }
      const columns = chart({ timestamp: ["2024-01-02T14:30:00Z", "2024-01-03T14:30:00Z"], close: [5, 6], open: [5] })
      assert.strictEqual(
        yield* faultOf(columns, daily),
        "Malformed: the chart has 2 timestamps and another number of open"
      )
      for (const bad of ["5.", ".5", "05", "1e", "--1", "Infinity", "true", '"5"', "nul"]) {
        const body = chart({ timestamp: ["2024-01-02T14:30:00Z"], close: [12345] }).replaceAll("12345", bad)
        assert.match(yield* faultOf(body, daily), /^Malformed/, bad)
      }
    })
  )

  it.effect("Y26 bars of another length and another symbol than asked for are refused", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-01-02T14:30:00Z"]
      assert.strictEqual(
        yield* faultOf(chart({ timestamp, close: [5], meta: { dataGranularity: "1mo" } }), daily),
        "Malformed: the chart has bars of 1mo; asked for were 1d"
      )
      assert.strictEqual(
        yield* faultOf(chart({ timestamp, close: [5], meta: { symbol: "MSFT" } }), daily),
        "Malformed: the chart is of MSFT, not of AAPL"
      )
    })
  )

  it.effect("Y26 a chart without rows of another symbol, interval or currency is no empty answer", () =>
    Effect.gen(function* () {
      const rowless = (meta: Readonly<Record<string, unknown>>, parts = {}) => chart({ meta, ...parts })
      for (const parts of [{}, { timestamp: [] }]) {
        assert.include(yield* faultOf(rowless({ symbol: "MSFT" }, parts), daily), "Malformed: the chart is of MSFT")
        assert.include(
          yield* faultOf(rowless({ dataGranularity: "1mo" }, parts), daily),
          "Malformed: the chart has bars of 1mo"
        )
        assert.include(yield* faultOf(rowless({ currency: "GBp" }, parts), { ...daily, currency: "USD" }), "Rejected")
        // Where there is no price, nothing has to be said of its unit.
        assert.strictEqual(yield* faultOf(rowless({ currency: null }, parts), { ...daily, currency: "USD" }), "decoded")
        assert.deepStrictEqual((yield* decodeBody(rowless({}, parts), daily)).bars, [])
      }
    })
  )

  it.effect("Y27 a price that is a hundred times too high stays as Yahoo sent it", () =>
    Effect.gen(function* () {
      const timestamp = ["2024-01-02T14:30:00Z", "2024-01-03T14:30:00Z", "2024-01-04T14:30:00Z"]
      const { bars } = yield* decodeBody(chart({ timestamp, close: [10, 1010, 10] }), daily)
      assert.deepStrictEqual(closes(bars), [10, 1010, 10])
    })
  )

  it.effect("Y28 splits, dividends and capital gains are asked for and kept", () =>
    Effect.gen(function* () {
      const date = seconds("2024-03-01T14:30:00Z")
      const { actions } = yield* decodeBody(
        chart({
          timestamp: ["2024-03-01T14:30:00Z"],
          close: [5],
          events: {
            capitalGains: { "1": { amount: Math.fround(1.23), date } },
            dividends: { "1": { amount: 0.205, date, currency: "EUR" } },
            splits: { "1": { date, numerator: 1, denominator: 10, splitRatio: "1:10" } }
          }
        }),
        daily
      )
      const ts = utc("2024-03-01")
      assert.deepStrictEqual(actions?.rows, [
        { ts, kind: "split", numerator: 1, denominator: 10 },
        { ts, kind: "dividend", amount: 0.205, currency: "EUR" },
        { ts, kind: "capital-gain", amount: 1.23, currency: "USD" }
      ])
      assert.deepStrictEqual(actions?.positions, [-1, -2, -3])
      assert.deepStrictEqual(actions?.complete, year)
    })
  )

  it("has a test for each pitfall of the table in docs/vendors/yahoo.md, and no other", () => {
    const here = fileURLToPath(new URL(".", import.meta.url))
    const numbers = (text: string, pattern: RegExp) =>
      [...new Set([...text.matchAll(pattern)].map(([, number]) => number))].sort()
    const titles = readdirSync(here)
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => readFileSync(`${here}${file}`, "utf8"))
      .join("\n")
    const table = readFileSync(fileURLToPath(new URL("../../../../docs/vendors/yahoo.md", import.meta.url)), "utf8")
    assert.deepStrictEqual(numbers(titles, /\bit(?:\.\w+)*\(\s*"(Y\d\d) /g), numbers(table, /^\| (Y\d\d) /gm))
  })
})
