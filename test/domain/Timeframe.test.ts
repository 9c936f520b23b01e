/** Timeframes against a model that goes by calendar fields and steps, not by arithmetic on milliseconds. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Timeframe from "../../src/domain/Timeframe.ts"

const dayMillis = 86_400_000
const at = (text: string): number => Date.parse(text)

const unitMillis: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** Midnight UTC of the day of an instant, by its printed date. */
const midnight = (instant: number): number => {
  const text = new Date(instant).toISOString()
  return at(`${text.slice(0, text.indexOf("T"))}T00:00:00.000Z`)
}
const weekday = (instant: number): number => new Date(instant).getUTCDay()
const dayOfMonth = (instant: number): number => new Date(instant).getUTCDate()
const monthOf = (instant: number): number => new Date(instant).getUTCMonth()

/** The start of the period that holds an instant, by stepping back until one begins. */
const modelFloor = (timeframe: Timeframe.Timeframe, instant: number): number => {
  const [, size = "", unit = ""] = /^(\d+)([a-z]+)$/.exec(timeframe) ?? []
  const millis = unitMillis[unit]
  let start = midnight(instant)
  if (millis !== undefined) {
    const length = Number(size) * millis
    return start + Math.trunc((instant - start) / length) * length
  }
  if (unit === "w") while (weekday(start) !== 1) start -= dayMillis
  if (unit === "mo") {
    while (dayOfMonth(start) !== 1 || monthOf(start) % Number(size) !== 0) start -= dayMillis
  }
  return start
}

/** The start of the next period, by stepping forward from within this one. */
const modelNext = (timeframe: Timeframe.Timeframe, instant: number): number => {
  const start = modelFloor(timeframe, instant)
  const step = Timeframe.isIntraday(timeframe) ? 1_000 : dayMillis
  let next = start + step
  while (modelFloor(timeframe, next) === start) next += step
  return next
}

const instants = fc.oneof(
  fc.integer({ min: at("0004-01-01T00:00:00Z"), max: at("9990-01-01T00:00:00Z") }),
  fc.integer({ min: at("1960-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") }),
  // Around the turns of days, months, leap years and the epoch.
  fc
    .tuple(
      fc.constantFrom(
        "1969-12-31",
        "1970-01-01",
        "1968-02-29",
        "1900-02-28",
        "1900-03-01",
        "2000-02-29",
        "2000-03-01",
        "2023-02-28",
        "2024-02-29",
        "2024-12-31",
        "2025-01-01",
        "2025-03-31",
        "2025-04-01",
        "0004-02-29"
      ),
      fc.integer({ min: -2_000, max: dayMillis })
    )
    .map(([date, offset]) => at(`${date}T00:00:00Z`) + offset)
)
const timeframes = fc.constantFrom(...Timeframe.all)
const coarse = fc.constantFrom(...Timeframe.all.filter((timeframe) => !Timeframe.isIntraday(timeframe)))
const short = fc.constantFrom(
  ...Timeframe.all.filter((timeframe) => Timeframe.isIntraday(timeframe) && Timeframe.maxMillis(timeframe) <= 900_000)
)

describe("Timeframe", () => {
  it("offers exactly what the design lists, shortest first", () => {
    assert.strictEqual(
      Timeframe.all.join(" "),
      "1s 5s 10s 15s 30s 1m 2m 3m 5m 10m 15m 20m 30m 1h 2h 3h 4h 8h 1d 1w 1mo 3mo"
    )
    const lengths = Timeframe.all.map(Timeframe.maxMillis)
    assert.deepStrictEqual(
      lengths,
      lengths.toSorted((a, b) => a - b)
    )
  })

  it("refuses every other name", () => {
    const decode = Schema.decodeUnknownResult(Timeframe.Timeframe)
    const others = ["", "1", "m", "0m", "4m", "7m", "60m", "45m", "6h", "12h", "24h", "2d", "1D", "1M", "1 m", "1min"]
    for (const name of [...others, "1W", "2w", "1y", "6mo", "tick", "toString", "01m", "1m ", null, 60]) {
      assert.isTrue(Result.isFailure(decode(name)), String(name))
    }
    for (const name of Timeframe.all) assert.isTrue(Result.isSuccess(decode(name)), name)
  })

  it("floor is the start of the period, by the calendar", () => {
    fc.assert(
      fc.property(timeframes, instants, (timeframe, instant) => {
        assert.strictEqual(Timeframe.floor(timeframe, instant), modelFloor(timeframe, instant))
      }),
      { numRuns: 5_000 }
    )
  })

  it("ceil is the first start at or after the instant", () => {
    fc.assert(
      fc.property(fc.oneof(coarse, short), instants, (timeframe, instant) => {
        const start = modelFloor(timeframe, instant)
        assert.strictEqual(
          Timeframe.ceil(timeframe, instant),
          start === instant ? start : modelNext(timeframe, instant)
        )
        assert.strictEqual(Timeframe.ceil(timeframe, start), start)
      }),
      { numRuns: 3_000 }
    )
  })

  it("periodEnd is the next start, and periods leave no hole", () => {
    fc.assert(
      fc.property(fc.oneof(coarse, short), instants, (timeframe, instant) => {
        const start = modelFloor(timeframe, instant)
        const end = Timeframe.periodEnd(timeframe, start)
        assert.strictEqual(end, modelNext(timeframe, instant))
        assert.strictEqual(Timeframe.floor(timeframe, end - 1), start)
        assert.strictEqual(Timeframe.floor(timeframe, end), end)
        assert.isAtMost(end - start, Timeframe.maxMillis(timeframe) === 93 * dayMillis ? 92 * dayMillis : end - start)
        assert.isAtMost(end - start, Timeframe.maxMillis(timeframe))
      }),
      { numRuns: 3_000 }
    )
  })

  it("an intraday bar off the grid ends a whole length after its stamp", () => {
    const opening = at("2019-01-02T14:30:00Z")
    assert.strictEqual(Timeframe.periodEnd("1h", opening), at("2019-01-02T15:30:00Z"))
  })

  it("stamps of a week are Mondays, of months the first, whatever the year", () => {
    assert.strictEqual(Timeframe.floor("1w", at("1970-01-01T00:00:00Z")), at("1969-12-29T00:00:00Z"))
    assert.strictEqual(Timeframe.floor("1mo", at("2024-02-29T23:59:59.999Z")), at("2024-02-01T00:00:00Z"))
    assert.strictEqual(Timeframe.floor("3mo", at("1969-12-31T00:00:00Z")), at("1969-10-01T00:00:00Z"))
    assert.strictEqual(Timeframe.periodEnd("3mo", at("2024-10-01T00:00:00Z")), at("2025-01-01T00:00:00Z"))
    assert.strictEqual(Timeframe.floor("1mo", at("0050-06-15T00:00:00Z")), at("0050-06-01T00:00:00Z"))
  })

  it("finalEnd parts the stamps whose period and delay are over from the others", () => {
    const delays = fc.constantFrom(0, 1, 999, 60_000, 3 * dayMillis)
    const now = fc.integer({ min: at("1960-01-01T00:00:00Z"), max: at("2040-01-01T00:00:00Z") })
    fc.assert(
      fc.property(fc.oneof(coarse, short), now, delays, fc.boolean(), (timeframe, instant, delay, onGrid) => {
        const end = Timeframe.finalEnd(timeframe, instant, delay, onGrid)
        const isFinal = (stamp: number) => Timeframe.periodEnd(timeframe, stamp) + delay <= instant
        if (onGrid || !Timeframe.isIntraday(timeframe)) {
          assert.strictEqual(end, modelFloor(timeframe, end))
          assert.isTrue(isFinal(modelFloor(timeframe, end - 1)))
          assert.isFalse(isFinal(end))
        } else {
          assert.isTrue(isFinal(end - 1))
          assert.isFalse(isFinal(end))
        }
      }),
      { numRuns: 3_000 }
    )
  })

  it("stamps rounds ranges of days and longer up to the grid and leaves intraday ones alone", () => {
    const range = (start: string, end: string) => ({ start: at(start), end: at(end) })
    const odd = range("2019-01-02T14:30:00.001Z", "2019-01-04T00:00:00.000Z")
    assert.deepStrictEqual(Timeframe.stamps("1h", odd), odd)
    assert.deepStrictEqual(Timeframe.stamps("1d", odd), range("2019-01-03T00:00:00Z", "2019-01-04T00:00:00Z"))
    assert.strictEqual(Timeframe.stamps("1w", odd), null)
    assert.deepStrictEqual(
      Timeframe.stamps("1mo", range("2018-12-31T00:00:00Z", "2019-01-01T00:00:00.001Z")),
      range("2019-01-01T00:00:00Z", "2019-02-01T00:00:00Z")
    )
    fc.assert(
      fc.property(coarse, instants, fc.integer({ min: 1, max: 500 * dayMillis }), (timeframe, start, length) => {
        const wanted = { start, end: start + length }
        const rounded = Timeframe.stamps(timeframe, wanted)
        // The same stamps lie in both.
        for (let stamp = modelFloor(timeframe, start); stamp < wanted.end; stamp = modelNext(timeframe, stamp)) {
          const inWanted = stamp >= wanted.start
          const inRounded = rounded !== null && stamp >= rounded.start && stamp < rounded.end
          assert.strictEqual(inRounded, inWanted)
        }
        if (rounded !== null) assert.strictEqual(modelFloor(timeframe, rounded.end), rounded.end)
      }),
      { numRuns: 200 }
    )
  })
})
