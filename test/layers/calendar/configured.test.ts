import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Path, Result } from "effect"
import type { TradingSession } from "../../../src/domain/TradingCalendar.ts"
import * as CalendarLive from "../../../src/layers/calendar/CalendarLive.ts"
import * as TapestryConfig from "../../../src/layers/config/TapestryConfig.ts"
import { Calendar } from "../../../src/services/Calendar.ts"

const at = (text: string): number => Date.parse(text)

const decoded = (text: string) =>
  Effect.map(Path.Path, (path) => TapestryConfig.decode("tapestry.yaml", text, path)).pipe(
    Effect.provide(NodeServices.layer)
  )

/** Every mistake of a document, a sentence each. */
const mistakes = Effect.fnUntraced(function* (text: string) {
  const result = yield* decoded(text)
  if (Result.isSuccess(result)) return []
  return result.failure.message
    .split("\n")
    .filter((line) => result.failure.problems.length === 1 || line.startsWith("  "))
    .map((line) => line.replace("tapestry.yaml: ", "").trim())
})

const calendarOf = Effect.fnUntraced(function* (text: string, name: string) {
  const config = yield* Effect.fromResult(yield* decoded(text))
  const calendars = yield* Effect.provide(Calendar, CalendarLive.layerWith(config.calendars))
  return yield* calendars.get(name)
})

const hours = (session: TradingSession | null): string => {
  if (session === null) return "closed"
  const time = (instant: number) => new Date(instant).toISOString().slice(5, 16).replace("T", " ")
  const { breakEnd, breakStart, close, irregular, open } = session
  const lunch = breakStart === null || breakEnd === null ? "" : ` break ${time(breakStart)} to ${time(breakEnd)}`
  return `${time(open)} to ${time(close)}${lunch}${irregular ? " irregular" : ""}`
}

const exchange = `calendars:
  TSE:
    title: Tokyo Stock Exchange
    zone: Asia/Tokyo
    hours:
      mon-fri: 09:00-11:30, 12:30-15:30
      sat: closed
    holidays:
      - 01-01
      - 2026-05-04
    earlyCloses:
      2026-12-30: 11:00
      12-28: 14:00
    sessions:
      2026-11-28: 10:00-12:00
    from: 2020-01-01
    to: 2027-01-01
`

describe("a calendar of tapestry.yaml", () => {
  it.effect("has the hours, breaks, holidays, early closes and sessions that it is given", () =>
    Effect.gen(function* () {
      const calendar = yield* calendarOf(exchange, "TSE")
      const on = (date: string) => hours(calendar.sessionOn(at(date)))
      // Tokyo is nine hours ahead.
      assert.strictEqual(on("2026-05-01"), "05-01 00:00 to 05-01 06:30 break 05-01 02:30 to 05-01 03:30")
      assert.strictEqual(on("2026-05-02"), "closed")
      assert.strictEqual(on("2026-05-04"), "closed")
      assert.strictEqual(on("2025-01-01"), "closed")
      assert.strictEqual(on("2025-05-05"), "05-05 00:00 to 05-05 06:30 break 05-05 02:30 to 05-05 03:30")
      // Before the break it ends with the morning, after it in the afternoon.
      assert.strictEqual(on("2026-12-30"), "12-30 00:00 to 12-30 02:00 irregular")
      assert.strictEqual(on("2026-12-28"), "12-28 00:00 to 12-28 05:00 break 12-28 02:30 to 12-28 03:30 irregular")
      assert.strictEqual(on("2025-12-28"), "closed")
      assert.strictEqual(on("2026-11-28"), "11-28 01:00 to 11-28 03:00")
      assert.deepStrictEqual(calendar.known, { start: at("2020-01-01"), end: at("2027-01-01") })
    })
  )

  it.effect("extends another one, which may stand behind it and extend one that is built in", () =>
    Effect.gen(function* () {
      const text = `calendars:
  desk:
    extends: house
    earlyCloses:
      2026-11-25: 12:00
  house:
    extends: XNYS
    holidays: [2026-11-27]
    hours: { fri: 09:30-15:00 }
    earlyCloses: { 2026-12-02: 13:00 }
    sessions:
      2026-11-26: 09:30-12:00
`
      const calendar = yield* calendarOf(text, "desk")
      const on = (date: string) => hours(calendar.sessionOn(at(date)))
      assert.strictEqual(on("2026-11-24"), "11-24 14:30 to 11-24 21:00")
      assert.strictEqual(on("2026-11-25"), "11-25 14:30 to 11-25 17:00 irregular")
      assert.strictEqual(on("2026-11-26"), "11-26 14:30 to 11-26 17:00 irregular")
      assert.strictEqual(on("2026-11-27"), "closed")
      assert.strictEqual(on("2026-12-02"), "12-02 14:30 to 12-02 18:00 irregular")
      assert.strictEqual(on("2026-12-04"), "12-04 14:30 to 12-04 20:00")
      assert.strictEqual(on("2026-12-25"), "closed")
      assert.strictEqual(calendar.zone, "America/New_York")
    })
  )

  it.effect("opens on the evening before where it opens later than it closes", () =>
    Effect.gen(function* () {
      const text = `calendars:
  globex:
    zone: America/Chicago
    hours: { mon-fri: "17:00-08:00, 08:30-16:00" }
    holidays: [12-25]
`
      const calendar = yield* calendarOf(text, "globex")
      assert.strictEqual(
        hours(calendar.sessionOn(at("2026-03-09"))),
        "03-08 22:00 to 03-09 21:00 break 03-09 13:00 to 03-09 13:30"
      )
      assert.deepStrictEqual(calendar.closures({ start: at("2026-03-09"), end: at("2026-03-10") }), [
        { start: at("2026-03-09T13:00Z"), end: at("2026-03-09T13:30Z") },
        { start: at("2026-03-09T21:00Z"), end: at("2026-03-09T22:00Z") }
      ])
    })
  )

  it.effect("is known by its keys, and listed", () =>
    Effect.gen(function* () {
      const config = yield* Effect.fromResult(yield* decoded(exchange))
      assert.deepStrictEqual([...config.keys], ["calendars.TSE"])
      const calendars = yield* Effect.provide(Calendar, CalendarLive.layerWith(config.calendars))
      assert.include(
        (yield* calendars.list).map(({ title }) => title),
        "Tokyo Stock Exchange"
      )
    })
  )
})

describe("a calendar that is written wrong", () => {
  for (const [what, text, expected] of [
    [
      "has another's name",
      "calendars:\n  XNYS: { extends: XLON }\n",
      "line 2: calendars.XNYS: expected another name, found that of a calendar that comes with Tapestry; rename it, and extend XNYS"
    ],
    [
      "lacks a zone and hours",
      "calendars:\n  own:\n    title: Mine\n",
      "line 2: calendars.own.zone: expected an IANA zone, such as Europe/Berlin, found nothing; add it\nline 2: calendars.own.hours: expected hours by weekday, such as mon-fri: 09:00-17:30, found nothing; add them, or extend a calendar"
    ],
    [
      "has a zone that is none",
      'calendars:\n  own:\n    zone: Europe/Berln\n    hours: { mon: "9:00-17:00" }\n',
      'line 3: calendars.own.zone: expected an IANA zone, such as Europe/Berlin, found "Europe/Berln"'
    ],
    [
      "has hours that are none",
      'calendars:\n  own:\n    extends: XNYS\n    hours:\n      mon: 9-17\n      tues: "09:00-17:00"\n',
      'line 5: calendars.own.hours.mon: expected hours, such as 09:30-16:00, or 09:30-12:00, 13:00-16:00 with a break; an opening after the close is on the evening before, or closed, found "9-17"'
    ],
    [
      "has a weekday that is none, and one twice",
      'calendars:\n  own:\n    extends: XNYS\n    hours:\n      mon-wed: "09:00-17:00"\n      tue: closed\n      someday: closed\n',
      'line 6: calendars.own.hours.tue: expected each weekday once, found Tuesday for a second time\nline 7: calendars.own.hours.someday: expected weekdays, such as mon-fri, sat or mon,wed, found "someday"'
    ],
    [
      "has dates that do not exist",
      "calendars:\n  own:\n    extends: XNYS\n    holidays:\n      - 2026-02-29\n      - 02-29\n      - 04-31\n",
      'line 5: calendars.own.holidays.0: expected a date, such as 2026-12-24, or 12-24 for every year, found "2026-02-29"\nline 7: calendars.own.holidays.2: expected a date, such as 2026-12-24, or 12-24 for every year, found "04-31"'
    ],
    [
      "closes early on a holiday, and after the close",
      "calendars:\n  own:\n    extends: XNYS\n    earlyCloses:\n      2026-12-25: 12:00\n      2026-12-23: 16:00\n",
      'line 5: calendars.own.earlyCloses.2026-12-25: expected a date with a session, found none on 2026-12-25; remove it, or add it to sessions\nline 6: calendars.own.earlyCloses.2026-12-23: expected a time between the opening and the usual close of that date, found "16:00"'
    ],
    [
      "names a date twice",
      "calendars:\n  own:\n    extends: XNYS\n    holidays: [2026-12-23]\n    sessions:\n      2026-12-23: 10:00-11:00\n",
      "line 6: calendars.own.sessions.2026-12-23: expected each date once, found one that holidays has, too"
    ],
    [
      "extends what there is not",
      "calendars:\n  own:\n    extends: XNY\n",
      'line 3: calendars.own.extends: expected one of 24/5, 24/7, XCBF, XHKG, XLON, XNAS, XNYS, found "XNY"; did you mean XNYS?'
    ],
    [
      "extends itself over another",
      "calendars:\n  a: { extends: b }\n  b: { extends: a }\n",
      "line 3: calendars.b.extends: expected a calendar that does not extend this one, found a > b > a"
    ],
    [
      "knows more than what it extends",
      "calendars:\n  own:\n    extends: XNYS\n    to: 2040-01-01\n",
      'line 4: calendars.own.to: expected a date from 1990-01-01 to 2029-01-01, which is what New York Stock Exchange, core session knows, found "2040-01-01"'
    ],
    [
      "has sessions that overlap",
      'calendars:\n  own:\n    zone: UTC\n    hours:\n      mon: "00:00-24:00"\n      tue: "18:00-12:00"\n',
      "line 4: calendars.own.hours: expected sessions that do not overlap, found one on Tuesday that opens before the one before it closes"
    ],
    [
      "has a session that runs into the next one",
      'calendars:\n  own:\n    extends: 24/5\n    sessions:\n      2026-11-28: "22:00-12:00"\n',
      'line 5: calendars.own.sessions.2026-11-28: expected hours that do not reach into the session of the day before or after, found "22:00-12:00"'
    ],
    [
      "has a key that is not known",
      "calendars:\n  own:\n    extends: XNYS\n    holiday: [2026-12-23]\n",
      "line 4: calendars.own.holiday: expected one of the known keys, found a key that is not known here; did you mean holidays?"
    ],
    ["is no mapping", "calendars: [XNYS]\n", 'line 1: calendars: expected a mapping of calendar names, found ["XNYS"]']
  ] as const) {
    it.effect(`${what}: says where, and what to write`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* mistakes(text), expected.split("\n"))
      })
    )
  }
})
