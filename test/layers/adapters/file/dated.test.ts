/** Files with a date in their path, and what clocks that go back and forward do to their rows. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type FileSystem, type Path, type Scope } from "effect"
import type { TimeRange } from "../../../../src/domain/TimeRange.ts"
import { beginningOf } from "../../../../src/services/PayloadDraft.ts"
import { ask, between, fetcher, filesIn, platform, vendorOf } from "./support.ts"

const minute = (more = "") => `vendors:
  files:
    adapter: file
    root: data
    path: "{symbol}/{yyyyMMdd}.csv"
    header: [ts, open, high, low, close, volume]
    timestamp: millis-of-day
    zone: America/New_York
    timeframe: 1m
${more}`

const row = (stamp: string | number, close = 1) => `${stamp},1,${Math.max(1, close)},1,${close},0`
const clock = (text: string): number => {
  const [hours = 0, minutes = 0] = text.split(":").map(Number)
  return (hours * 60 + minutes) * 60_000
}
const spy = { symbol: "SPY", timeframe: "1m" } as const

const test = (title: string, body: Effect.Effect<void, unknown, FileSystem.FileSystem | Path.Path | Scope.Scope>) =>
  it.effect(title, () => body.pipe(Effect.provide(platform)))

const day = (date: string, hours = 24): TimeRange => {
  const start = Date.parse(date)
  return { start, end: start + hours * 3_600_000 }
}

const stampsOf = Effect.fnUntraced(function* (
  yaml: string,
  path: string,
  rows: ReadonlyArray<string>,
  range: TimeRange
) {
  const root = yield* filesIn({ [`data/spy/${path}.csv`]: rows.join("\n") })
  const got = yield* ask(yield* vendorOf(root, yaml), spy, range)
  assert.isNull(got.answer.refusal, got.answer.refusal?._tag)
  return got.bars.map((bar) => new Date(bar.ts).toISOString().slice(0, 16))
})

describe("dated files", () => {
  test(
    "a request is one file: the limits say where ranges are cut, and a longer one is refused",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy/20131007.csv": row(clock("09:30")) })
      const adapter = yield* vendorOf(root, minute())
      assert.deepStrictEqual(adapter.limits.timeframes["1m"], {
        maxSpan: null,
        maxRows: null,
        alignment: { unit: "day", zone: "America/New_York" }
      })
      const { request, series } = yield* fetcher(adapter)
      const key = yield* series({ ...spy, kind: "bar" })
      const whole = between("2013-10-07T04:00Z", "2013-10-08T04:00Z")
      assert.include(JSON.stringify((yield* request(key, whole)).params), '"path":"spy/20131007.csv"')
      const error = yield* Effect.flip(request(key, { start: whole.start, end: whole.end + 1 }))
      assert.strictEqual(error.reason._tag, "Rejected")
    })
  )

  test(
    "the requests of a day of 23 and of 25 hours are one file each",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy/20130310.csv": row(0) })
      const { request, series } = yield* fetcher(yield* vendorOf(root, minute()))
      const key = yield* series({ ...spy, kind: "bar" })
      yield* request(key, between("2013-03-10T05:00Z", "2013-03-11T04:00Z"))
      yield* request(key, between("2013-11-03T04:00Z", "2013-11-04T05:00Z"))
      for (const range of [
        between("2013-03-10T05:00Z", "2013-03-11T05:00Z"),
        between("2013-11-03T04:00Z", "2013-11-04T05:01Z")
      ]) {
        assert.strictEqual((yield* Effect.flip(request(key, range))).reason._tag, "Rejected")
      }
    })
  )

  test(
    "milliseconds of the day are wall clock time, also in March and November",
    Effect.gen(function* () {
      const rows = ["00:30", "04:00", "09:30", "16:00"].map((text) => row(clock(text)))
      assert.deepStrictEqual(yield* stampsOf(minute(), "20130308", rows, day("2013-03-08T05:00Z")), [
        "2013-03-08T05:30",
        "2013-03-08T09:00",
        "2013-03-08T14:30",
        "2013-03-08T21:00"
      ])
      assert.deepStrictEqual(yield* stampsOf(minute(), "20130310", rows, day("2013-03-10T05:00Z", 23)), [
        "2013-03-10T05:30",
        "2013-03-10T08:00",
        "2013-03-10T13:30",
        "2013-03-10T20:00"
      ])
      assert.deepStrictEqual(yield* stampsOf(minute(), "20131103", rows, day("2013-11-03T04:00Z", 25)), [
        "2013-11-03T04:30",
        "2013-11-03T09:00",
        "2013-11-03T14:30",
        "2013-11-03T21:00"
      ])
    })
  )

  const november = ["00:59", "01:00", "01:30", "01:59", "01:00", "01:30", "02:00"]
  const novemberUtc = ["04:59", "05:00", "05:30", "05:59", "06:00", "06:30", "07:00"].map(
    (text) => `2013-11-03T${text}`
  )

  test(
    "an hour that happens twice is kept apart by the order of the rows, forwards and backwards",
    Effect.gen(function* () {
      const range = day("2013-11-03T04:00Z", 25)
      const forwards = november.map((text) => row(clock(text)))
      assert.deepStrictEqual(yield* stampsOf(minute(), "20131103", forwards, range), novemberUtc)
      const backwards = [row(clock("03:00")), ...forwards.toReversed()]
      assert.deepStrictEqual(yield* stampsOf(minute(), "20131103", backwards, range), [
        ...novemberUtc,
        "2013-11-03T08:00"
      ])
      assert.deepStrictEqual(yield* stampsOf(minute(), "20131103", [row(clock("01:30"))], range), ["2013-11-03T05:30"])
    })
  )

  test(
    "a local time that does not exist is a bad row that names the zone",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy/20130310.csv": [row(0), row(clock("02:30"))].join("\n") })
      const range = day("2013-03-10T05:00Z", 23)
      const error = yield* Effect.flip(ask(yield* vendorOf(root, minute()), spy, range))
      assert.include(
        String(error),
        'line 2 of spy/20130310.csv: ts: "9000000" does not exist in America/New_York, where clocks went forward over it'
      )
      const lenient = yield* ask(yield* vendorOf(root, minute("    badRows: skip\n")), spy, range)
      assert.strictEqual(lenient.bars.length, 1)
      assert.strictEqual(lenient.rejected[0]?.position, 2)
    })
  )

  test(
    "a row whose stamp lies outside the date in the path is bad: it could never be asked for",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy/20131007.csv": [row(clock("23:59")), row(clock("24:00"))].join("\n") })
      const error = yield* Effect.flip(ask(yield* vendorOf(root, minute()), spy, day("2013-10-07T04:00Z")))
      assert.include(String(error), "2013-10-08T04:00:00.000Z lies outside the date in the file's path")
    })
  )

  test(
    "a dated file that is not there is an answer without rows; a symbol or a root that is not there is not",
    Effect.gen(function* () {
      const root = yield* filesIn({ "data/spy/20131007.csv": row(clock("09:30")) })
      const adapter = yield* vendorOf(root, minute())
      const { fetch, request, series } = yield* fetcher(adapter)
      const key = yield* series({ ...spy, kind: "bar" })
      const empty = yield* ask(adapter, spy, day("2013-10-08T04:00Z"))
      assert.isNull(empty.answer.refusal)
      assert.strictEqual(beginningOf(empty.answer.body).length, 0)
      assert.isFalse(empty.answer.metadata.adapter.exists)
      assert.deepStrictEqual(empty.bars, [])
      const other = yield* fetch(yield* request({ ...key, symbol: "QQQ" }, day("2013-10-08T04:00Z")))
      assert.strictEqual(other.refusal?._tag, "NotFound")
      assert.strictEqual(beginningOf(other.body).length, 0)
      const gone = yield* vendorOf(root, minute().replace("root: data", "root: elsewhere"))
      const away = yield* fetcher(gone)
      const asked = yield* away.request(yield* away.series({ ...spy, kind: "bar" }), day("2013-10-08T04:00Z"))
      const error = yield* Effect.flip(away.fetch(asked))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.include(error.message, `${root}/elsewhere`)
      assert.isFalse((yield* gone.ping).ok)
      assert.isTrue((yield* adapter.ping).ok)
    })
  )

  test(
    "files of a month and of a year, with dates as folders",
    Effect.gen(function* () {
      const yaml = `vendors:
  files:
    adapter: file
    root: data
    header: [ts, open, high, low, close, volume]
    zone: America/New_York
    entries:
      day: { path: "{yyyy}/{symbol}.csv", timeframe: 1d }
      hour: { path: "{yyyy}/{MM}/{symbol}.csv", timeframe: 1h }
`
      const root = yield* filesIn({
        "data/2013/spy.csv": [row("2013-12-31"), row("2013-01-02")].join("\n"),
        "data/2013/12/spy.csv": [row("2013-12-02 10:00"), row("2013-12-31 20:00")].join("\n")
      })
      const adapter = yield* vendorOf(root, yaml)
      assert.deepStrictEqual(adapter.limits.timeframes["1d"]?.alignment, { unit: "year", zone: "UTC" })
      assert.deepStrictEqual(adapter.limits.timeframes["1h"]?.alignment, { unit: "month", zone: "America/New_York" })
      const year = yield* ask(adapter, { symbol: "SPY", timeframe: "1d" }, between("2013-01-01", "2014-01-01"))
      assert.deepStrictEqual(
        year.bars.map((bar) => bar.ts),
        [Date.UTC(2013, 0, 2), Date.UTC(2013, 11, 31)]
      )
      const month = yield* ask(
        adapter,
        { symbol: "SPY", timeframe: "1h" },
        between("2013-12-01T05:00Z", "2014-01-01T05:00Z")
      )
      assert.deepStrictEqual(
        month.bars.map((bar) => new Date(bar.ts).toISOString()),
        ["2013-12-02T15:00:00.000Z", "2014-01-01T01:00:00.000Z"]
      )
    })
  )

  test(
    "bars of a day and longer are stamped with the date in the zone, of the week's Monday and of the month's first",
    Effect.gen(function* () {
      const midnight = (date: string) => Date.parse(`${date}T00:00-05:00`)
      const root = yield* filesIn({
        "data/d.csv": [row(midnight("2019-01-02")), row(midnight("2019-01-03"))].join("\n"),
        "data/w.csv": [row(midnight("2019-01-04")), row(midnight("2019-01-11"))].join("\n"),
        "data/m.csv": [row(midnight("2019-01-31")), row(midnight("2019-02-28"))].join("\n")
      })
      const stamps = Effect.fnUntraced(function* (symbol: string, timeframe: "1d" | "1w" | "1mo") {
        const adapter = yield* vendorOf(
          root,
          `vendors:
  files:
    adapter: file
    root: data
    path: "{symbol}.csv"
    header: [ts, open, high, low, close, volume]
    timestamp: epoch-millis
    zone: America/New_York
    timeframe: ${timeframe}
`
        )
        const got = yield* ask(adapter, { symbol, timeframe }, between("2018-01-01", "2020-01-01"))
        return got.bars.map((bar) => new Date(bar.ts).toISOString().slice(0, 13))
      })
      assert.deepStrictEqual(yield* stamps("d", "1d"), ["2019-01-02T00", "2019-01-03T00"])
      assert.deepStrictEqual(yield* stamps("w", "1w"), ["2018-12-31T00", "2019-01-07T00"])
      assert.deepStrictEqual(yield* stamps("m", "1mo"), ["2019-01-01T00", "2019-02-01T00"])
    })
  )
})
