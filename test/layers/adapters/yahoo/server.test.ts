/** The adapter against the server that speaks Yahoo's endpoint, over a socket. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Bar } from "../../../../src/domain/Bar.ts"
import type { SeriesKey } from "../../../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../../../src/domain/TimeRange.ts"
import type { YahooVendorSpec } from "../../../../src/layers/adapters/yahoo/YahooVendor.ts"
import * as YahooServer from "../../../../src/layers/testing/yahoo/YahooServer.ts"
import type { Adapter, FetchCapability, SeriesQuery } from "../../../../src/services/Adapter.ts"
import { adapterOf, between, line, utc } from "./support.ts"

type Yahoo = Adapter & { readonly fetch: FetchCapability }

const over = Effect.fnUntraced(function* (
  options: YahooServer.YahooServerOptions = {},
  spec: Partial<YahooVendorSpec> = {}
) {
  const server = yield* YahooServer.make({ now: utc("2024-11-27T15:07:12.345Z"), ...options })
  return { server, adapter: yield* adapterOf(server.host, spec) }
})

const query = (symbol: string, more: Partial<SeriesQuery> = {}): SeriesQuery => ({
  symbol,
  kind: "bar",
  timeframe: "1d",
  ...more
})

/** One request, fetched and decoded; the reason where there is none. */
const ask = Effect.fnUntraced(function* ({ fetch }: Yahoo, key: SeriesKey, range: TimeRange) {
  const request = yield* fetch.request(key, range)
  const answer = yield* fetch.fetch(request)
  const payload = answer.body instanceof Uint8Array ? answer.body : new Uint8Array(0)
  if (answer.refusal !== null) return { answer, payload, decoded: null }
  // A copy is decoded by itself, as another process would.
  const decoding = { series: key, range, request }
  const decoded = yield* fetch.decode(payload, decoding)
  const again = yield* fetch.decode(payload.slice(), decoding)
  assert.deepStrictEqual(again.bars, decoded.bars)
  return { answer, payload, decoded }
})

/** Fails with the first bar that differs. */
const same = (bars: ReadonlyArray<Bar> | undefined, expected: ReadonlyArray<Bar>, what: string) => {
  const had = (bars ?? []).map(line)
  const wanted = expected.map(line)
  const first = wanted.findIndex((text, index) => had[index] !== text)
  const at = first === -1 ? Math.min(had.length, wanted.length) : first
  assert.strictEqual(had[at] ?? "nothing", wanted[at] ?? "nothing", `${what}: bar ${at} of ${wanted.length}`)
}

const instants = {
  "during the session": "2024-11-27T15:07:12.345Z",
  "at a whole minute": "2024-11-27T15:30:00Z",
  "after the close": "2024-11-27T23:10:00Z",
  "before the opening": "2024-11-27T09:00:00Z",
  "on a holiday": "2024-11-28T16:00:00Z",
  "on a half day": "2024-11-29T17:59:30Z",
  "on a Monday that begins a week": "2024-12-02T15:00:10Z"
}

describe("YahooAdapter over a server", () => {
  for (const [when, instant] of Object.entries(instants)) {
    it.effect(
      `has the bars of the market ${when}, of every interval, whatever is strange in the bodies`,
      () =>
        Effect.gen(function* () {
          const now = utc(instant)
          const { adapter, server } = yield* over({ now })
          const back = (days: number, to = now) => ({ start: now - days * 86_400_000, end: to })
          const recent = { end: utc("2024-12-09") }
          const cases: ReadonlyArray<readonly [Partial<SeriesQuery>, TimeRange]> = [
            [{ timeframe: "1m" }, back(4)],
            [{ timeframe: "1m", session: "all" }, back(1)],
            [{ timeframe: "5m", session: "extended" }, back(4)],
            [{ timeframe: "2m" }, back(2)],
            [{ timeframe: "15m" }, back(6)],
            [{ timeframe: "30m" }, back(6)],
            [{ timeframe: "30m", session: "all" }, back(5)],
            [{ timeframe: "1h" }, back(12)],
            [{ timeframe: "1d" }, { ...recent, start: utc("2024-08-01") }],
            [
              { timeframe: "1d", adjustment: "all" },
              { ...recent, start: utc("2024-05-01") }
            ],
            [{ timeframe: "1w" }, { ...recent, start: utc("2024-09-02") }],
            [{ timeframe: "1mo" }, { start: utc("2024-07-01"), end: utc("2025-01-01") }],
            [
              { timeframe: "3mo", adjustment: "all" },
              { start: utc("2024-01-01"), end: utc("2025-01-01") }
            ]
          ]
          for (const faults of [YahooServer.noFaults, YahooServer.strangeBodies]) {
            server.setFaults(faults)
            for (const symbol of ["AAPL", "OCDO.L", "BTC-USD"]) {
              for (const [more, range] of cases) {
                const key = yield* adapter.fetch.series(query(symbol, more))
                const { answer, decoded } = yield* ask(adapter, key, range)
                const what = `${symbol} ${JSON.stringify(more)}`
                assert.isNull(answer.refusal, what)
                assert.deepStrictEqual(decoded?.rejected, [], what)
                same(decoded?.bars, server.expected(key, range), what)
              }
            }
          }
        }),
      60_000
    )
  }

  it.effect("Y16 a split overnight changes all history, and raw bars not at all", () =>
    Effect.gen(function* () {
      const { adapter, server } = yield* over({ now: utc("2020-08-28T22:00:00Z") })
      const range = between("2020-08-24", "2020-08-29")
      const splits = yield* adapter.fetch.series(query("AAPL"))
      const raw = yield* adapter.fetch.series(query("AAPL", { adjustment: "raw" }))
      const before = yield* ask(adapter, splits, range)
      const rawBefore = yield* ask(adapter, raw, range)
      same(before.decoded?.bars, server.expected(splits, range), "before the split")
      assert.deepStrictEqual(rawBefore.decoded?.bars, before.decoded?.bars)
      server.setClock(utc("2020-08-31T22:00:00Z"))
      const after = yield* ask(adapter, splits, range)
      const rawAfter = yield* ask(adapter, raw, range)
      same(after.decoded?.bars, server.expected(splits, range), "after the split")
      assert.deepStrictEqual(
        after.decoded?.bars.map(({ close }) => close * 4),
        before.decoded?.bars.map(({ close }) => close)
      )
      same(rawAfter.decoded?.bars, rawBefore.decoded?.bars ?? [], "raw")
      const across = yield* ask(adapter, raw, between("2020-08-24", "2020-09-05"))
      same(across.decoded?.bars, server.expected(raw, between("2020-08-24", "2020-09-05")), "raw across the split")
      assert.deepStrictEqual(across.decoded?.actions?.rows, [
        { ts: utc("2020-08-31"), kind: "split", numerator: 4, denominator: 1 }
      ])
    })
  )

  it.effect("Y03 sends neither a crumb nor a cookie", () =>
    Effect.gen(function* () {
      const { adapter, server } = yield* over()
      yield* ask(adapter, yield* adapter.fetch.series(query(" aapl ")), between("2024-11-01", "2024-11-20"))
      const [request] = server.log()
      assert.strictEqual(request?.symbol, "AAPL")
      assert.isNull(request?.cookie)
      assert.notInclude(request?.url, "crumb")
      assert.strictEqual(request?.userAgent, "Mozilla/5.0 (compatible; tapestry)")
    })
  )

  const refused: ReadonlyArray<readonly [YahooServer.YahooFaults["always"], string]> = [
    ["throttledText", "Throttled"],
    ["throttledPage", "Throttled"],
    ["throttledOk", "Throttled"],
    ["crumb", "Rejected"],
    ["delisted", "NotFound"],
    ["unprocessable", "Rejected"],
    ["page", "Unavailable"],
    ["serverError", "Unavailable"],
    ["badGateway", "Unavailable"],
    ["noChart", "Malformed"]
  ]
  it.effect("Y24 keeps the bytes of everything that is no chart, and says what it meant", () =>
    Effect.gen(function* () {
      const { adapter, server } = yield* over({ faults: { retryAfter: "11" } })
      const key = yield* adapter.fetch.series(query("AAPL"))
      for (const [always, tag] of refused) {
        server.setFaults({ always })
        const { answer, payload } = yield* ask(adapter, key, between("2024-11-01", "2024-11-20"))
        assert.strictEqual(answer.refusal?._tag, tag, always ?? "")
        assert.isAbove(payload.length, 0)
        if (answer.refusal?._tag === "Throttled") assert.strictEqual(answer.refusal.retryAfter, 11_000)
      }
      server.setFaults({ always: "noData" })
      const { answer, decoded } = yield* ask(adapter, key, between("2024-11-01", "2024-11-20"))
      assert.isNull(answer.refusal)
      assert.deepStrictEqual(decoded?.bars, [])
    })
  )

  it.effect("Y25 a body that breaks off on the wire is kept as partial and is Unavailable", () =>
    Effect.gen(function* () {
      const { adapter } = yield* over({ faults: { always: "truncated" } })
      const { answer, payload } = yield* ask(
        adapter,
        yield* adapter.fetch.series(query("AAPL")),
        between("2024-11-01", "2024-11-20")
      )
      assert.strictEqual(answer.refusal?._tag, "Unavailable")
      assert.isString(answer.brokenOff)
      assert.isAbove(payload.length, 0)
    })
  )

  it.live("Y29 a server that goes silent, or hangs up, is not waited for longer than configured", () =>
    Effect.gen(function* () {
      const { adapter, server } = yield* over({ faults: { always: "dropped" } }, { timeout: 150 })
      const key = yield* adapter.fetch.series(query("AAPL"))
      const range = between("2024-11-01", "2024-11-20")
      const dropped = yield* Effect.result(ask(adapter, key, range))
      assert.isTrue(Result.isFailure(dropped) && dropped.failure.reason._tag === "Unavailable")
      server.setFaults({ always: "stalled" })
      const { answer } = yield* ask(adapter, key, range)
      assert.strictEqual(answer.refusal?._tag, "Unavailable")
      server.setFaults({ always: null, delay: [5_000, 5_000] })
      const late = yield* Effect.result(ask(adapter, key, range))
      assert.isTrue(Result.isFailure(late) && late.failure.reason._tag === "Unavailable")
    }).pipe(Effect.scoped)
  )

  it.effect("Y23 asks within the limits of each interval, which the server enforces in Yahoo's words", () =>
    Effect.gen(function* () {
      const now = utc("2024-11-27T15:07:12.345Z")
      const { adapter } = yield* over({ now })
      for (const timeframe of ["1m", "2m", "5m", "15m", "30m", "1h"] as const) {
        const key = yield* adapter.fetch.series(query("OCDO.L", { timeframe }))
        const limit = adapter.limits.timeframes[timeframe]
        const [age, span] = [limit?.maxAge ?? 0, limit?.maxSpan ?? 0]
        const oldest = now - age
        const whole = { start: oldest, end: Math.min(oldest + span, now) }
        assert.isNull((yield* ask(adapter, key, whole)).answer.refusal, timeframe)
        const older = { start: oldest - 7_200_000, end: oldest }
        const { answer } = yield* ask(adapter, key, older)
        assert.strictEqual(answer.refusal?._tag, "Rejected")
        assert.include(JSON.stringify(answer.refusal), "The requested range must be within the last")
      }
      const key = yield* adapter.fetch.series(query("OCDO.L", { timeframe: "1m" }))
      const { answer } = yield* ask(adapter, key, { start: now - 10 * 86_400_000, end: now })
      assert.include(JSON.stringify(answer.refusal), "Only 8 days worth of 1m granularity data are allowed")
    })
  )

  it.effect("Y17 shows the unit of an answer and refuses a series in another currency", () =>
    Effect.gen(function* () {
      const { adapter } = yield* over()
      const range = between("2024-11-01", "2024-11-20")
      const free = yield* adapter.fetch.series(query("OCDO.L"))
      assert.isNull(free.currency)
      const { answer } = yield* ask(adapter, free, range)
      assert.deepInclude(answer.metadata.adapter, {
        currency: "GBp",
        unit: "1/100 GBP",
        zone: "Europe/London",
        nullRows: 0
      })
      const pounds = yield* adapter.fetch.series(query("OCDO.L", { currency: "GBP" }))
      const refusal = (yield* ask(adapter, pounds, range)).answer.refusal
      assert.strictEqual(refusal?._tag, "Rejected")
      const pence = yield* adapter.fetch.series(query("OCDO.L", { currency: "GBp" }))
      assert.isNull((yield* ask(adapter, pence, range)).answer.refusal)
    })
  )

  it.effect("locates the row behind a bar and the event behind a corporate action", () =>
    Effect.gen(function* () {
      const { adapter } = yield* over()
      const key = yield* adapter.fetch.series(query("AAPL"))
      const range = between("2020-08-25", "2020-11-20")
      const request = yield* adapter.fetch.request(key, range)
      const { decoded, payload } = yield* ask(adapter, key, range)
      const decoding = { series: key, range, request }
      const at = (position: number | undefined) => adapter.fetch.locate(payload, position ?? 0, decoding)
      for (const index of [0, 20]) {
        const found = yield* at(decoded?.positions[index])
        const bar = decoded?.bars[index]
        assert.strictEqual(found.pointer, `/chart/result/0/timestamp/${decoded?.positions[index]}`)
        const row: { readonly close: number; readonly volume: number } = JSON.parse(found.text)
        assert.strictEqual(row.close, Math.fround(bar?.close ?? 0))
        assert.strictEqual(row.volume, bar?.volume)
      }
      const actions = decoded?.actions
      assert.deepStrictEqual(
        actions?.rows.map(({ kind }) => kind),
        ["split", "dividend"]
      )
      assert.match((yield* at(actions?.positions[0])).text, /"splitRatio":"4:1"/)
      assert.match((yield* at(actions?.positions[1])).pointer ?? "", /^\/chart\/result\/0\/events\/dividends\//)
      assert.isTrue(Result.isFailure(yield* Effect.result(at(99_999))))
    })
  )

  it.effect("refuses what Yahoo has not, and says what it has", () =>
    Effect.gen(function* () {
      const { adapter } = yield* over()
      const cases: ReadonlyArray<readonly [Partial<SeriesQuery>, string]> = [
        [{ timeframe: "3m" }, "no bars of 3m; it has 1m, 2m, 5m, 15m, 30m, 1h, 1d, 1w, 1mo, 3mo"],
        [{ timeframe: "1h", adjustment: "all" }, "no dividend-adjusted price"],
        [{ timeframe: "1h", adjustment: "raw" }, "does not tell of those that came later"],
        [{ timeframe: "1w", adjustment: "raw" }, "may have a split inside"],
        [{ timeframe: "1d", session: "extended" }, "are of the regular session"],
        [{ price: "bid" }, "of trades, not of bid"],
        [{ dataset: "X" }, "no datasets"],
        [{ kind: "trade", timeframe: null }, "it has bars only"],
        [{ symbol: "../v7/quote" }, "no symbol of Yahoo's"],
        [{ symbol: "AAPL MSFT" }, "no symbol of Yahoo's"]
      ]
      for (const [more, words] of cases) {
        const result = yield* Effect.result(adapter.fetch.series(query("AAPL", more)))
        assert.include(Result.isFailure(result) ? result.failure.message : "a series", words)
      }
      const key = yield* adapter.fetch.series(query("AAPL"))
      const forged = yield* Effect.result(
        adapter.fetch.request({ ...key, symbol: "aapl/../x" }, between("2024-01-01", "2024-02-01"))
      )
      assert.isTrue(Result.isFailure(forged) && forged.failure.reason._tag === "NotFound")
    })
  )

  it.effect("pings Yahoo with a chart", () =>
    Effect.gen(function* () {
      const index = YahooServer.share("^GSPC", { instrumentType: "INDEX" })
      const { adapter, server } = yield* over({ instruments: [index] })
      const fine = yield* adapter.ping
      assert.isTrue(fine.ok, fine.detail)
      server.setFaults({ always: "throttledText" })
      const throttled = yield* adapter.ping
      assert.isFalse(throttled.ok)
      assert.include(throttled.detail, "throttled")
    })
  )
})
