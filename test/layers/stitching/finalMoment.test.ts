/**
 * The moment at which a bar becomes final, for every timeframe, through the whole cache: one millisecond before it is provisional, at
 * it the next read makes it final, and after that nobody is asked again. Around a change of the clocks, a half day, a break and
 * a holiday.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { xhkg } from "../../../src/domain/calendar/exchanges/xhkg.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import type { TradingCalendar } from "../../../src/domain/TradingCalendar.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { made, newYork } from "../../support/calendars.ts"
import { between, day, fresh, hour, minute, outline, utc } from "./support.ts"

const hongKong = made(xhkg)

/** What happens on a date, and when trade ends there that day, as the exchanges have published it. */
interface Event {
  readonly name: string
  readonly calendar: TradingCalendar
  /** A session. */
  readonly date: string
  /** The bars that end here are looked at; else those that end at the close. */
  readonly at?: string
  readonly close: string
}

const events: ReadonlyArray<Event> = [
  { name: "before the clocks go forward", calendar: newYork, date: "2024-03-08", close: "2024-03-08T21:00:00Z" },
  { name: "after the clocks went forward", calendar: newYork, date: "2024-03-11", close: "2024-03-11T20:00:00Z" },
  { name: "after the clocks went back", calendar: newYork, date: "2024-11-04", close: "2024-11-04T21:00:00Z" },
  { name: "before a holiday", calendar: newYork, date: "2024-11-27", close: "2024-11-27T21:00:00Z" },
  { name: "a half day", calendar: newYork, date: "2024-11-29", close: "2024-11-29T18:00:00Z" },
  { name: "after a holiday on a Monday", calendar: newYork, date: "2025-01-21", close: "2025-01-21T21:00:00Z" },
  { name: "a day with a break", calendar: hongKong, date: "2024-06-05", close: "2024-06-05T08:00:00Z" },
  {
    name: "before the break",
    calendar: hongKong,
    date: "2024-06-06",
    at: "2024-06-06T04:00:00Z",
    close: "2024-06-06T08:00:00Z"
  },
  { name: "a half day without its break", calendar: hongKong, date: "2024-12-24", close: "2024-12-24T04:00:00Z" },
  { name: "before a holiday, with a break", calendar: hongKong, date: "2024-09-30", close: "2024-09-30T08:00:00Z" }
]

/** The bar of each timeframe that an event is about: the last one of the day, of the morning, or the day's own. */
const barOf = (event: Event, timeframe: Timeframe.Timeframe): TimeRange => {
  const end = utc(event.at ?? event.close)
  const start = Timeframe.floor(timeframe, Timeframe.isIntraday(timeframe) ? end - 1 : utc(event.date))
  return { start, end: Timeframe.periodEnd(timeframe, start) }
}

/** By looking at each date of the period. */
const closeOf = (event: Event, timeframe: Timeframe.Timeframe): number => {
  const { end, start } = barOf(event, timeframe)
  if (Timeframe.isIntraday(timeframe)) return end
  if (timeframe === "1d") return utc(event.close)
  let close = 0
  for (let date = start; date < end; date += day) close = event.calendar.sessionOn(date)?.close ?? close
  return close
}

const becomesFinal = (event: Event, finalityDelay: number) => {
  const vendor = ModelVendor.make({
    calendar: event.calendar,
    finalityDelay,
    revised: 1,
    limits: { calendar: event.calendar.name, provisionalFor: hour }
  })
  const seriesOf = (timeframe: Timeframe.Timeframe): SeriesKey => ({
    ...vendor.series("ALPHA", timeframe),
    session: "regular"
  })
  const moments = Map.groupBy(Timeframe.all, (timeframe) => closeOf(event, timeframe) + finalityDelay)
  return Effect.gen(function* () {
    const cache = yield* StitchingCache
    const store = yield* MarketStore
    const calls = (timeframe: Timeframe.Timeframe) =>
      Effect.map(vendor.log, (log) => log.filter((request) => request.timeframe === timeframe).length)
    const look = Effect.fnUntraced(function* (timeframe: Timeframe.Timeframe, range: TimeRange) {
      const answer = yield* cache.read({ series: seriesOf(timeframe), range })
      const stored = yield* store.barAt(seriesOf(timeframe), range.start)
      return [...new Set(answer.coverage.map(({ state }) => state._tag)), stored?.final, yield* calls(timeframe)]
    })
    for (const [moment, timeframes] of [...moments].sort(([a], [b]) => a - b)) {
      yield* TestClock.setTime(moment - 1)
      for (const timeframe of timeframes) {
        assert.deepStrictEqual(
          yield* look(timeframe, barOf(event, timeframe)),
          ["Provisional", false, 1],
          `${timeframe} a millisecond before`
        )
      }
      yield* TestClock.adjust(1)
      for (const timeframe of timeframes) {
        const range = barOf(event, timeframe)
        assert.deepStrictEqual(yield* look(timeframe, range), ["Covered", true, 2], `${timeframe} at it`)
        const revisions = yield* Stream.runCollect(store.revisions(seriesOf(timeframe), range))
        assert.deepStrictEqual(
          revisions.map(({ kind }) => kind),
          ["finalised"],
          timeframe
        )
        assert.deepStrictEqual(yield* look(timeframe, range), ["Covered", true, 2], `${timeframe} for good`)
      }
    }
    yield* TestClock.adjust(400 * day)
    for (const timeframe of Timeframe.all) {
      assert.deepStrictEqual(
        yield* look(timeframe, barOf(event, timeframe)),
        ["Covered", true, 2],
        `${timeframe} later`
      )
    }
  }).pipe(Effect.provide(fresh(vendor.adapter)))
}

describe("StitchingCache, the moment a range becomes final", () => {
  for (const event of events) {
    for (const delay of [0, 15 * minute]) {
      const after = delay === 0 ? "at the close" : "15 minutes after the close"
      it.effect(`C34 of each timeframe, ${event.calendar.name} ${event.date}, ${event.name}: ${after}`, () =>
        becomesFinal(event, delay)
      )
    }
  }

  it.effect("C34 of each timeframe without a calendar: at the end of the period, in UTC", () => {
    const vendor = ModelVendor.make({ limits: { provisionalFor: hour } })
    return Effect.gen(function* () {
      const cache = yield* StitchingCache
      const quarter = utc("2024-04-01")
      yield* TestClock.setTime(quarter - 1)
      // The week of that quarter's end goes on.
      for (const timeframe of Timeframe.all.filter((each) => each !== "1w")) {
        const range = { start: Timeframe.floor(timeframe, quarter - 1), end: quarter }
        const series = vendor.series("ALPHA", timeframe)
        const before = yield* cache.read({ series, range })
        assert.deepStrictEqual(
          outline(before.coverage),
          [`${new Date(range.start).toISOString()} Provisional`],
          timeframe
        )
      }
      yield* TestClock.adjust(1)
      for (const timeframe of Timeframe.all.filter((each) => each !== "1w")) {
        const range = { start: Timeframe.floor(timeframe, quarter - 1), end: quarter }
        const at = yield* cache.read({ series: vendor.series("ALPHA", timeframe), range })
        assert.deepStrictEqual([outline(at.coverage)[0]?.slice(25), at.requests], ["Covered", 1], timeframe)
      }
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C34 a bar that opens off the grid is final a whole length after its stamp", () => {
    const vendor = ModelVendor.make({
      calendar: newYork,
      offGrid: 30 * minute,
      limits: { calendar: "XNYS", provisionalFor: hour }
    })
    return Effect.gen(function* () {
      const cache = yield* StitchingCache
      const series: SeriesKey = { ...vendor.series("ALPHA", "1h"), session: "regular" }
      const range = between("2024-03-11T13:30:00Z", "2024-03-11T13:30:00.001Z")
      yield* TestClock.setTime(utc("2024-03-11T14:29:59.999Z"))
      assert.deepStrictEqual(outline((yield* cache.read({ series, range })).coverage), [
        "2024-03-11T13:30:00.000Z Provisional"
      ])
      yield* TestClock.adjust(1)
      const final = yield* cache.read({ series, range })
      assert.deepStrictEqual(outline(final.coverage), ["2024-03-11T13:30:00.000Z Covered"])
      assert.deepStrictEqual([final.rowCount, (yield* vendor.log).length], [1, 2])
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })

  it.effect("C36 what was had while it was open is served as provisional, runs out, and is had again", () => {
    const vendor = ModelVendor.make({ calendar: newYork, limits: { calendar: "XNYS", provisionalFor: 10 * minute } })
    return Effect.gen(function* () {
      const cache = yield* StitchingCache
      const series: SeriesKey = { ...vendor.series("ALPHA", "1d"), session: "regular" }
      // From the Friday over the week-end to the Monday, whose session is under way.
      const range = between("2024-03-08T00:00:00Z", "2024-03-12T00:00:00Z")
      yield* TestClock.setTime(utc("2024-03-11T15:00:00Z"))
      const first = yield* cache.read({ series, range })
      const known = [
        "2024-03-08T00:00:00.000Z Covered",
        "2024-03-09T00:00:00.000Z Closed",
        "2024-03-11T00:00:00.000Z Provisional"
      ]
      assert.deepStrictEqual([outline(first.coverage), first.requests], [known, 2])
      yield* TestClock.adjust(10 * minute - 1)
      assert.strictEqual((yield* cache.read({ series, range })).requests, 0)
      yield* TestClock.adjust(1)
      const again = yield* cache.read({ series, range })
      assert.deepStrictEqual([outline(again.coverage), again.requests], [known, 1])
      // Five minutes before the close: it runs out with the close, not five minutes after.
      yield* TestClock.setTime(utc("2024-03-11T19:55:00Z"))
      assert.strictEqual((yield* cache.read({ series, range })).requests, 1)
      yield* TestClock.setTime(utc("2024-03-11T20:00:00Z"))
      const final = yield* cache.read({ series, range })
      assert.deepStrictEqual(
        [final.coverage.every(({ state }) => state._tag !== "Provisional"), final.requests],
        [true, 1]
      )
    }).pipe(Effect.provide(fresh(vendor.adapter)))
  })
})
