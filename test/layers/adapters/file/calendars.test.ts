/** The calendar and the recheck of a vendor of files, from its YAML to what is read of its disk. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { StitchingCache } from "../../../../src/services/StitchingCache.ts"
import { fresh } from "../../stitching/support.ts"
import { between, fetcher, filesIn, platform, utc, vendorOf } from "./support.ts"

const yaml = `vendors:
  desk:
    adapter: file
    root: .
    timestamp: iso
    zone: America/New_York
    calendar: XNYS
    recheckAfter: 3d
    session: regular
    entries:
      minutes: { path: "minutes/{SYMBOL}/{yyyyMMdd}.csv", timeframe: 1m }
      days: { path: "days/{SYMBOL}.csv", timeframe: 1d }
      hours: { path: "hours/{SYMBOL}.csv", timeframe: 1h, calendar: house }
      always: { path: "always/{SYMBOL}.csv", timeframe: 5m, calendar: null }
calendars:
  house: { extends: XNYS }
`

const minutes = (date: string) =>
  `ts,open,high,low,close,volume\n${date}T09:30:00,10,11,9,10,5\n${date}T15:59:00,10,11,9,10.5,7\n`

it.effect("C35 an entry has the calendar of its vendor, one of its own, or none", () =>
  Effect.gen(function* () {
    const directory = yield* filesIn({ "days/SPY.csv": "ts,open,high,low,close,volume\n" })
    const vendor = yield* vendorOf(directory, yaml)
    assert.deepStrictEqual([vendor.limits.calendar, vendor.limits.recheckAfter], ["XNYS", 3 * 86_400_000])
    const { calendar, series } = yield* fetcher(vendor)
    const names = yield* Effect.forEach(["1m", "1d", "1h", "5m"] as const, (timeframe) =>
      Effect.map(series({ symbol: "SPY", kind: "bar", timeframe }), (key) => calendar?.(key)).pipe(
        Effect.orElseSucceed(() => "no files")
      )
    )
    assert.deepStrictEqual(names, ["no files", "XNYS", "no files", "no files"])
    const key = yield* series({ symbol: "SPY", kind: "bar", timeframe: "1d" })
    assert.deepStrictEqual(
      (["1m", "1h", "5m"] as const).map((timeframe) => calendar?.({ ...key, timeframe })),
      ["XNYS", "house", null]
    )
  }).pipe(Effect.scoped, Effect.provide(platform))
)

it.effect("C35 files of days on which the exchange was closed are not looked for, and the answer is whole", () =>
  Effect.gen(function* () {
    const directory = yield* filesIn({
      "minutes/SPY/20240119.csv": minutes("2024-01-19"),
      "minutes/SPY/20240122.csv": minutes("2024-01-22"),
      "minutes/SPY/20240116.csv": minutes("2024-01-16")
    })
    const vendor = yield* vendorOf(directory, yaml)
    yield* Effect.gen(function* () {
      yield* TestClock.setTime(utc("2024-03-01T00:00:00Z"))
      const cache = yield* StitchingCache
      const series = yield* cache.resolve("desk", { symbol: "SPY", kind: "bar", timeframe: "1m" })
      const weekend = yield* cache.read({ series, range: between("2024-01-19T05:00:00Z", "2024-01-23T05:00:00Z") })
      assert.deepStrictEqual([weekend.requests, weekend.rowCount], [2, 4])
      // Martin Luther King's day, after a week-end: three days that nobody has files of.
      const holiday = yield* cache.read({ series, range: between("2024-01-13T05:00:00Z", "2024-01-16T05:00:00Z") })
      assert.deepStrictEqual(
        holiday.coverage.map(({ state }) => state),
        [{ _tag: "Closed", calendar: "XNYS" }]
      )
      assert.strictEqual(holiday.requests, 0)
    }).pipe(Effect.provide(fresh(vendor)))
  }).pipe(Effect.scoped, Effect.provide(Layer.fresh(platform)))
)
