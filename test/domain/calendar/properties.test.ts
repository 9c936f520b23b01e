/** What holds for every calendar and every range, whatever the rules say. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import fc from "fast-check"
import { type CalendarRules, clock, hours } from "../../../src/domain/calendar/CalendarRules.ts"
import { calendarOf } from "../../../src/domain/calendar/calendarOf.ts"
import { everyDay, everyWeekday } from "../../../src/domain/calendar/exchanges/always.ts"
import { xcbf } from "../../../src/domain/calendar/exchanges/xcbf.ts"
import { xhkg } from "../../../src/domain/calendar/exchanges/xhkg.ts"
import { xlon } from "../../../src/domain/calendar/exchanges/xlon.ts"
import { xnas, xnys } from "../../../src/domain/calendar/exchanges/xnys.ts"
import * as Intervals from "../../../src/domain/Intervals.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import { minutesOf, type TradingCalendar, type TradingSession } from "../../../src/domain/TradingCalendar.ts"
import { ZoneClock } from "../../../src/domain/ZoneClock.ts"
import { rules as rulesOf } from "../../support/calendars.ts"

const minute = 60_000
const day = 86_400_000

const made = (rules: CalendarRules): TradingCalendar =>
  calendarOf(rules, new ZoneClock(DateTime.zoneMakeNamedUnsafe(rules.zone)))

/** Ranges of up to 60 days from 1988 to 2030, off every grid, so that they cross the edges of what is known. */
const ranges = fc
  .tuple(fc.integer({ min: Date.UTC(1988, 0, 1), max: Date.UTC(2030, 0, 1) }), fc.integer({ min: 1, max: 60 * day }))
  .map(([start, length]): TimeRange => ({ start, end: start + length }))

const instants = fc.integer({ min: Date.UTC(1989, 11, 1), max: Date.UTC(2029, 1, 1) })

/** The stretches in which it trades. */
const traded = ({ breakEnd, breakStart, close, open }: TradingSession): Intervals.Ranges =>
  breakStart === null || breakEnd === null
    ? [{ start: open, end: close }]
    : [
        { start: open, end: breakStart },
        { start: breakEnd, end: close }
      ]

const overlap = (a: Intervals.Ranges, range: TimeRange): Intervals.Ranges => Intervals.intersect(a, [range])

/** Sessions that begin on the evening before, or end after their date, with breaks, where clocks change and at the date line. */
const overNight: ReadonlyArray<CalendarRules> = [
  rulesOf("over night", "America/Chicago", {
    open: clock(-7, 0),
    breakStart: clock(2, 30),
    breakEnd: clock(8, 30),
    close: clock(16, 0)
  }),
  rulesOf("touching, in summer time", "Europe/Berlin", hours(clock(-2, 0), clock(22, 0))),
  rulesOf("east of the date line", "Pacific/Kiritimati", hours(clock(0, 0), clock(24, 0))),
  rulesOf("after its date", "Pacific/Honolulu", hours(clock(9, 0), clock(26, 0)))
]

for (const rules of [xnys, xnas, xcbf, xlon, xhkg, everyWeekday, everyDay, ...overNight]) {
  const calendar = made(rules)
  // Sessions in which the range lies, and those beside it: one may reach over midnight.
  const around = ({ end, start }: TimeRange) => calendar.sessions({ start: start - 3 * day, end: end + 3 * day })

  describe(`${rules.name}, for every range`, () => {
    it("closures and sessions together are what is known of it, and have nothing in common", () => {
      fc.assert(
        fc.property(ranges, (range) => {
          const known = overlap([range], calendar.known)
          const closures = calendar.closures(range)
          const open = overlap(Intervals.normalise(around(range).flatMap(traded)), range)
          assert.deepStrictEqual(Intervals.intersect(closures, open), [])
          // At its edges a session of a date that is not known may reach into what is: there it says nothing.
          const said = Intervals.union(closures, Intervals.intersect(open, known))
          const silent = Intervals.subtract(known, said)
          if (!overNight.includes(rules)) assert.deepStrictEqual(silent, [])
          const inner = [{ start: calendar.known.start + day, end: calendar.known.end - day }]
          assert.deepStrictEqual(Intervals.intersect(silent, inner), [])
          assert.deepStrictEqual(Intervals.normalise(closures), closures)
        })
      )
    })

    it("closures of two halves are the closures of the whole", () => {
      fc.assert(
        fc.property(ranges, fc.double({ min: 0, max: 1, noNaN: true }), ({ end, start }, part) => {
          const middle = start + Math.floor((end - start) * part)
          const halves = [...calendar.closures({ start, end: middle }), ...calendar.closures({ start: middle, end })]
          assert.deepStrictEqual(Intervals.normalise(halves), calendar.closures({ start, end }))
        })
      )
    })

    it("sessions are in order, apart, and inside of each other's breaks", () => {
      fc.assert(
        fc.property(ranges, (range) => {
          const sessions = calendar.sessions(range)
          for (const [index, session] of sessions.entries()) {
            const before = sessions[index - 1]
            assert.isTrue(session.date >= range.start && session.date < range.end && session.date % day === 0)
            assert.isTrue(session.open < session.close)
            assert.isTrue(before === undefined || (before.date < session.date && before.close <= session.open))
            for (const { end, start } of traded(session)) assert.isTrue(start < end)
            assert.deepStrictEqual(calendar.sessionOn(session.date), session)
          }
        })
      )
    })

    it("closed dates and dates of sessions are all dates that are known", () => {
      fc.assert(
        fc.property(ranges, (range) => {
          const dates = overlap(
            [{ start: Math.ceil(range.start / day) * day, end: Math.ceil(range.end / day) * day }],
            calendar.known
          )
          const sessions = calendar.sessions(range).map(({ date }) => ({ start: date, end: date + day }))
          const closed = calendar.closedDates(range)
          assert.deepStrictEqual(Intervals.intersect(closed, Intervals.normalise(sessions)), [])
          assert.deepStrictEqual(
            Intervals.union(closed, Intervals.normalise(sessions)),
            dates.filter(({ end, start }) => start < end)
          )
        })
      )
    })

    it("is open exactly where there is no closure", () => {
      fc.assert(
        fc.property(instants, (instant) => {
          const known = instant >= calendar.known.start && instant < calendar.known.end
          const closed = calendar.closures({ start: instant, end: instant + 1 }).length > 0
          if (known) assert.strictEqual(calendar.isOpenAt(instant), !closed)
          else assert.isFalse(closed)
        })
      )
    })

    it("the session before the next one is the last that has opened", () => {
      fc.assert(
        fc.property(instants, (instant) => {
          const next = calendar.next(instant)
          if (next === null) return
          assert.isTrue(next.open > instant)
          const before = calendar.previous(next.open)
          // Nothing opens in between, and from the previous close the way leads back to the same session.
          if (before === null) return
          assert.isTrue(before.open <= instant && before.close <= next.open)
          assert.deepStrictEqual(calendar.next(next.open - 1), next)
          assert.deepStrictEqual(calendar.previous(before.close), before)
        })
      )
    })

    it("minutes are open, and all that is open is in one of them", () => {
      fc.assert(
        fc.property(ranges, (range) => {
          for (const session of calendar.sessions(range).slice(0, 3)) {
            const minutes = minutesOf(session)
            const pieces = Intervals.normalise(minutes.map((start) => ({ start, end: start + minute })))
            assert.deepStrictEqual(pieces, traded(session))
          }
        }),
        { numRuns: 20 }
      )
    })
  })
}
