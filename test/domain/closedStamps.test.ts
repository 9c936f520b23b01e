/** Closed stamps against a model that asks of each single stamp whether its bar meets a session, by sessions and printed dates. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { clock, hours } from "../../src/domain/calendar/CalendarRules.ts"
import { closedStamps, type StampRules } from "../../src/domain/closedStamps.ts"
import * as Intervals from "../../src/domain/Intervals.ts"
import * as Timeframe from "../../src/domain/Timeframe.ts"
import { contains, type TimeRange } from "../../src/domain/TimeRange.ts"
import type { TradingCalendar } from "../../src/domain/TradingCalendar.ts"
import { lunch, made, newYork, overnight, rules, sydney, weekdays } from "../support/calendars.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const at = (text: string): number => Date.parse(text)
const printed = new Map<string, Intl.DateTimeFormat>()
const localDate = (zone: string, instant: number): number => {
  const format = printed.get(zone) ?? new Intl.DateTimeFormat("en-CA", { timeZone: zone })
  printed.set(zone, format)
  return at(format.format(instant))
}

const openTimes = (calendar: TradingCalendar, around: TimeRange): ReadonlyArray<TimeRange> =>
  calendar
    .sessions({ start: around.start - 4 * day, end: around.end + 4 * day })
    .flatMap(({ breakEnd, breakStart, close, open }) =>
      breakStart === null || breakEnd === null
        ? [{ start: open, end: close }]
        : [
            { start: open, end: breakStart },
            { start: breakEnd, end: close }
          ]
    )

const calendars = fc.constantFrom(newYork, lunch, overnight, weekdays, sydney)
const intraday = fc.constantFrom(...Timeframe.all.filter(Timeframe.isIntraday))
const starts = fc.oneof(
  fc.integer({ min: at("2015-01-01"), max: at("2025-01-01") }),
  // Half days, a holiday, and the turns of the clocks.
  fc.constantFrom("2024-11-28", "2024-12-23", "2024-03-08", "2024-11-01", "2024-04-05", "2024-10-04").map(at)
)

describe("closedStamps", () => {
  it("C35 leaves out only stamps whose bar meets no trading, and on the grid all of them", () => {
    fc.assert(
      fc.property(
        calendars,
        intraday,
        fc.constantFrom("regular" as const, "extended" as const, "all" as const),
        fc.boolean(),
        starts,
        fc.integer({ min: hour, max: 9 * day }),
        fc.array(fc.nat(9 * day), { minLength: 40, maxLength: 40 }),
        (calendar, timeframe, session, onGrid, start, length, offsets) => {
          const range = { start, end: start + length }
          const given: StampRules = { timeframe, session, onGrid }
          const closed = closedStamps(calendar, given, range)
          assert.deepStrictEqual(Intervals.intersect(closed, [range]), closed, "inside the range, in normal form")
          const open = openTimes(calendar, range)
          const bar = Timeframe.maxMillis(timeframe)
          const isDateClosed = (instant: number) => calendar.sessionOn(localDate(calendar.zone, instant)) === null
          const bounds = closed.flatMap((stretch) => [stretch.start, stretch.end - 1, stretch.end])
          for (const drawn of [...offsets.map((offset) => start + (offset % length)), ...bounds]) {
            const stamp = onGrid ? Timeframe.floor(timeframe, drawn) : drawn
            if (!contains(range, stamp)) continue
            const whole = { start: stamp, end: stamp + bar }
            const meets = open.some((time) => time.start < whole.end && whole.start < time.end)
            const auction =
              open.some((time) => time.end === stamp) &&
              localDate(calendar.zone, stamp - 1) === localDate(calendar.zone, stamp)
            const dates = isDateClosed(stamp) && (isDateClosed(whole.end - 1) || (!onGrid && bar <= hour))
            const may = session === "regular" ? !meets && !auction : !meets && !auction && dates
            const isClosed = closed.some((stretch) => contains(stretch, stamp))
            if (isClosed) assert.isTrue(may, `${new Date(stamp).toISOString()} is left out`)
            if (onGrid && may) assert.isTrue(isClosed, `${new Date(stamp).toISOString()} is asked for`)
          }
        }
      ),
      { numRuns: 3_000 }
    )
  })

  it("C35 leaves out the days, weeks and months without a session, and no other", () => {
    const coarse = fc.constantFrom(...Timeframe.all.filter((timeframe) => !Timeframe.isIntraday(timeframe)))
    // Shut for all of a February, for a week of May, and on Wednesdays.
    const rare = made({
      ...rules("rare", "America/New_York", hours(clock(9, 30), clock(16, 0))),
      specialDays: (year) =>
        Array.from({ length: 366 }, (_, index) => at(`${year}-01-01`) + index * day)
          .filter((date) => {
            const week = Timeframe.floor("1w", at(`${year}-05-15`))
            const shut = new Date(date).getUTCMonth() === 1 || (date >= week && date < week + 7 * day)
            return shut || new Date(date).getUTCDay() === 3
          })
          .map((date) => ({ date, name: "shut", hours: null }))
    })
    fc.assert(
      fc.property(
        fc.constantFrom(newYork, rare, weekdays),
        coarse,
        fc.integer({ min: at("1999-10-01"), max: at("2030-04-01") }),
        fc.integer({ min: day, max: 400 * day }),
        (calendar, timeframe, from, length) => {
          const range = Timeframe.stamps(timeframe, { start: from, end: from + length })
          if (range === null) return
          const closed = closedStamps(calendar, { timeframe, session: "all", onGrid: true }, range)
          for (let stamp = range.start; stamp < range.end; stamp = Timeframe.periodEnd(timeframe, stamp)) {
            const period = { start: stamp, end: Timeframe.periodEnd(timeframe, stamp) }
            const isKnown = calendar.known.start <= period.start && period.end <= calendar.known.end
            const has = calendar.sessions(period).length > 0
            assert.strictEqual(
              closed.some((stretch) => contains(stretch, stamp)),
              isKnown && !has
            )
          }
        }
      ),
      { numRuns: 500 }
    )
  })

  it("C35 keeps the stamp of the closing auction and the bar that opens off the grid", () => {
    const range = { start: at("2024-01-05T00:00:00Z"), end: at("2024-01-09T00:00:00Z") }
    const text = (timeframe: Timeframe.Timeframe, onGrid: boolean, session: StampRules["session"] = "regular") =>
      closedStamps(newYork, { timeframe, session, onGrid }, range).map(
        ({ end, start }) => `${new Date(start).toISOString().slice(8, 19)}/${new Date(end).toISOString().slice(8, 19)}`
      )
    assert.deepStrictEqual(text("1m", true), [
      "05T00:00:00/05T14:30:00",
      "05T21:01:00/08T14:30:00",
      "08T21:01:00/09T00:00:00"
    ])
    assert.deepStrictEqual(text("1h", false), [
      "05T00:00:00/05T13:30:00",
      "05T21:01:00/08T13:30:00",
      "08T21:01:00/09T00:00:00"
    ])
    assert.deepStrictEqual(text("1h", true, "extended"), ["06T05:00:00/08T05:00:00"])
    assert.deepStrictEqual(text("1d", true), ["06T00:00:00/08T00:00:00"])
  })
})
