import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { type CalendarRules, clock, closed, hours, mondayToFriday } from "../../../src/domain/calendar/CalendarRules.ts"
import { calendarOf } from "../../../src/domain/calendar/calendarOf.ts"
import { everyDay } from "../../../src/domain/calendar/exchanges/always.ts"
import { xhkg } from "../../../src/domain/calendar/exchanges/xhkg.ts"
import { xnys } from "../../../src/domain/calendar/exchanges/xnys.ts"
import { minutesOf, type TradingCalendar, type TradingSession } from "../../../src/domain/TradingCalendar.ts"
import { ZoneClock } from "../../../src/domain/ZoneClock.ts"

const made = (rules: CalendarRules): TradingCalendar =>
  calendarOf(rules, new ZoneClock(DateTime.zoneMakeNamedUnsafe(rules.zone)))

const at = (text: string): number => Date.parse(text)
const iso = (instant: number): string => new Date(instant).toISOString().replace(":00.000Z", "Z")
const range = (start: string, end: string) => ({ start: at(start), end: at(end) })
const ranges = (list: ReadonlyArray<{ readonly start: number; readonly end: number }>) =>
  list.map(({ end, start }) => `${iso(start)}/${iso(end)}`)
const times = (session: TradingSession | null) =>
  session === null ? null : `${iso(session.open)}/${iso(session.close)}`

describe("a calendar", () => {
  it("moves with summer time, in weeks in which only one side of the ocean has it", () => {
    const calendar = made(xnys)
    const sessions = calendar.sessions(range("2024-03-08", "2024-03-12"))
    assert.deepStrictEqual(sessions.map(times), [
      "2024-03-08T14:30Z/2024-03-08T21:00Z",
      "2024-03-11T13:30Z/2024-03-11T20:00Z"
    ])
  })

  it("marks a half day and a late open, and nothing else", () => {
    const calendar = made(xnys)
    const irregular = (date: string) => calendar.sessionOn(at(date))?.irregular
    assert.deepStrictEqual(["2024-11-29", "2024-12-24", "2002-09-11", "2024-11-27"].map(irregular), [
      true,
      true,
      true,
      false
    ])
    assert.strictEqual(times(calendar.sessionOn(at("2024-11-29"))), "2024-11-29T14:30Z/2024-11-29T18:00Z")
    assert.isNull(calendar.sessionOn(at("2024-11-28")))
    assert.isNull(calendar.sessionOn(at("2024-11-30")))
  })

  it("is open from the opening to just before the close, and not at lunch", () => {
    const calendar = made(xhkg)
    const open = (text: string) => calendar.isOpenAt(at(text))
    // 09:30-12:00 13:00-16:00 at UTC+8
    assert.deepStrictEqual(
      [
        "2024-03-05T01:29:59.999Z",
        "2024-03-05T01:30:00Z",
        "2024-03-05T03:59:59.999Z",
        "2024-03-05T04:00:00Z",
        "2024-03-05T04:59:59.999Z",
        "2024-03-05T05:00:00Z",
        "2024-03-05T07:59:59.999Z",
        "2024-03-05T08:00:00Z"
      ].map(open),
      [false, true, true, false, false, true, true, false]
    )
  })

  it("finds the next opening and the last close, across years", () => {
    const calendar = made(xnys)
    assert.strictEqual(times(calendar.next(at("2024-12-31T22:00:00Z"))), "2025-01-02T14:30Z/2025-01-02T21:00Z")
    assert.strictEqual(times(calendar.previous(at("2025-01-02T20:59:00Z"))), "2024-12-31T14:30Z/2024-12-31T21:00Z")
    assert.strictEqual(times(calendar.previous(at("2025-01-02T21:00:00Z"))), "2025-01-02T14:30Z/2025-01-02T21:00Z")
    // The opening itself does not come after it.
    assert.strictEqual(times(calendar.next(at("2025-01-02T14:30:00Z"))), "2025-01-03T14:30Z/2025-01-03T21:00Z")
    assert.isNull(calendar.next(at("2028-12-29T14:30:00Z")))
    assert.isNull(calendar.previous(at("1990-01-02T20:00:00Z")))
    assert.strictEqual(times(calendar.next(at("1950-01-01"))), "1990-01-02T14:30Z/1990-01-02T21:00Z")
    assert.strictEqual(times(calendar.previous(at("2999-01-01"))), "2028-12-29T14:30Z/2028-12-29T21:00Z")
  })

  it("is closed at night, at weekends, on holidays and at lunch", () => {
    assert.deepStrictEqual(ranges(made(xnys).closures(range("2024-11-27T15:00Z", "2024-12-02T15:00Z"))), [
      "2024-11-27T21:00Z/2024-11-29T14:30Z",
      "2024-11-29T18:00Z/2024-12-02T14:30Z"
    ])
    assert.deepStrictEqual(ranges(made(xhkg).closures(range("2024-03-05", "2024-03-06"))), [
      "2024-03-05T00:00Z/2024-03-05T01:30Z",
      "2024-03-05T04:00Z/2024-03-05T05:00Z",
      "2024-03-05T08:00Z/2024-03-06T00:00Z"
    ])
    assert.deepStrictEqual(ranges(made(xnys).closures(range("2024-11-27T15:00Z", "2024-11-27T16:00Z"))), [])
    assert.deepStrictEqual(ranges(made(everyDay).closures(range("1990-01-01", "2020-01-01"))), [])
  })

  it("knows nothing beyond what it knows", () => {
    const calendar = made(xnys)
    assert.deepStrictEqual(ranges(calendar.closures(range("1989-12-30", "1990-01-02"))), [
      "1990-01-01T00:00Z/1990-01-02T00:00Z"
    ])
    assert.deepStrictEqual(ranges(calendar.closures(range("2028-12-30", "2029-06-01"))), [
      "2028-12-30T00:00Z/2029-01-01T00:00Z"
    ])
    assert.deepStrictEqual(calendar.sessions(range("2029-01-01", "2030-01-01")), [])
    assert.deepStrictEqual(ranges(calendar.closedDates(range("2028-12-29", "2029-06-01"))), [
      "2028-12-30T00:00Z/2029-01-01T00:00Z"
    ])
    assert.isFalse(calendar.isOpenAt(at("2029-06-05T15:00Z")))
  })

  it("gives the dates without a session, whole ones only", () => {
    assert.deepStrictEqual(ranges(made(xnys).closedDates(range("2024-11-27T12:00Z", "2024-12-03T00:00Z"))), [
      "2024-11-28T00:00Z/2024-11-29T00:00Z",
      "2024-11-30T00:00Z/2024-12-02T00:00Z"
    ])
  })

  it("opens on the evening before its date where its hours do, also at the edge of what it knows", () => {
    const week = mondayToFriday(at("2024-01-01"), hours(clock(17, 0) - clock(24, 0), clock(16, 0)))
    const futures = made({
      name: "futures",
      title: "Futures",
      zone: "America/Chicago",
      known: range("2024-01-01", "2025-01-01"),
      weeks: [week],
      specialDays: () => [closed(at("2024-07-04"), "Independence Day")]
    })
    assert.strictEqual(times(futures.sessionOn(at("2024-03-11"))), "2024-03-10T22:00Z/2024-03-11T21:00Z")
    assert.isTrue(futures.isOpenAt(at("2024-03-10T22:00Z")))
    assert.isFalse(futures.isOpenAt(at("2024-03-11T21:30Z")))
    // The session of January 1, 2025 is not known, but its evening is not closed because of that.
    assert.deepStrictEqual(ranges(futures.closures(range("2024-12-31T12:00Z", "2025-02-01"))), [
      "2024-12-31T22:00Z/2024-12-31T23:00Z"
    ])
    assert.deepStrictEqual(ranges(futures.closures(range("2024-07-03T12:00Z", "2024-07-05T12:00Z"))), [
      "2024-07-03T21:00Z/2024-07-04T22:00Z"
    ])
  })

  it("keeps hours that no clock shows when summer time begins", () => {
    const night = made({
      name: "night",
      title: "Around 02:30",
      zone: "America/New_York",
      known: range("2024-01-01", "2025-01-01"),
      weeks: [{ from: 0, days: Array.from({ length: 7 }, () => hours(clock(2, 30), clock(5, 0))) }],
      specialDays: () => []
    })
    assert.deepStrictEqual(night.sessions(range("2024-03-09", "2024-03-12")).map(times), [
      "2024-03-09T07:30Z/2024-03-09T10:00Z",
      "2024-03-10T07:30Z/2024-03-10T09:00Z",
      "2024-03-11T06:30Z/2024-03-11T09:00Z"
    ])
  })
})

describe("the minutes of a session", () => {
  const minutesOn = (rules: CalendarRules, date: string) => {
    const session = made(rules).sessionOn(at(date))
    return session === null ? [] : minutesOf(session)
  }

  it("are 390 on a full day in New York and 210 on a half day", () => {
    assert.strictEqual(minutesOn(xnys, "2024-11-27").length, 390)
    const half = minutesOn(xnys, "2024-11-29")
    assert.strictEqual(half.length, 210)
    assert.deepStrictEqual([half[0], half.at(-1)], [at("2024-11-29T14:30Z"), at("2024-11-29T17:59Z")])
  })

  it("leave lunch out", () => {
    const minutes = minutesOn(xhkg, "2024-03-05")
    assert.strictEqual(minutes.length, 330)
    assert.deepStrictEqual(minutes.slice(149, 151).map(iso), ["2024-03-05T03:59Z", "2024-03-05T05:00Z"])
  })
})
