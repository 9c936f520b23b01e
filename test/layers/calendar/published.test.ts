/**
 * The calendars that come with Tapestry against two that others keep: every row of the first, to the millisecond, and every weekday
 * for which the second speaks. They share nothing with the rules in src/domain/calendar.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { TradingSession } from "../../../src/domain/TradingCalendar.ts"
import * as CalendarLive from "../../../src/layers/calendar/CalendarLive.ts"
import { Calendar } from "../../../src/services/Calendar.ts"
import { assertListed, type Difference } from "./differences.ts"
import { databaseDays, hoursIn, oracle, publishedSessions } from "./oracle.ts"

const day = 86_400_000
const iso = (date: number): string => new Date(date).toISOString().slice(0, 10)

const calendarNamed = (name: string) =>
  Effect.flatMap(Calendar, (calendars) => calendars.get(name)).pipe(Effect.provide(CalendarLive.layer))

describe.skipIf(!oracle)("published calendars", () => {
  for (const [file, name, rows] of [
    ["xnys", "XNYS", 8324],
    ["xcbf", "XCBF", 8417],
    ["xlon", "XLON", 8515],
    ["xhkg", "XHKG", 8803],
    ["24-5", "24/5", 261],
    ["24-7", "24/7", 366]
  ] as const) {
    it.effect(`${name}: ${rows} sessions`, () =>
      Effect.gen(function* () {
        const calendar = yield* calendarNamed(name)
        const theirs = new Map(publishedSessions(file).map((session) => [session.date, session]))
        assert.strictEqual(theirs.size, rows)
        const dates = [...theirs.keys()]
        const [first = 0, last = 0] = [dates[0], dates.at(-1)]
        const ours = new Map(
          calendar.sessions({ start: first, end: last + day }).map((session) => [session.date, session])
        )
        const text = hoursIn(calendar.zone)
        const found: Array<Difference> = []
        for (let date = first; date <= last; date += day) {
          const mine = ours.get(date)
          const other = theirs.get(date)
          const same =
            mine?.open === other?.open &&
            mine?.close === other?.close &&
            mine?.breakStart === other?.breakStart &&
            mine?.breakEnd === other?.breakEnd
          if (same) continue
          found.push({
            date: iso(date),
            ours: mine === undefined ? "closed" : text(mine),
            theirs: other === undefined ? "closed" : text(other)
          })
        }
        assertListed("published", name, found)
      })
    )
  }
})

describe.skipIf(!oracle)("the market-hours database", () => {
  for (const [entry, name, first, last] of [
    ["Equity-usa-[*]", "XNYS", "1998-01-01", "2028-12-31"],
    ["Equity-usa-[*]", "XNAS", "1998-01-01", "2028-12-31"],
    ["Future-cfe-[*]", "XCBF", "1998-01-01", "2026-12-31"],
    ["Index-hkfe-[*]", "XHKG", "2017-01-01", "2026-12-31"],
    ["Crypto-coinbase-[*]", "24/7", "2015-01-01", "2028-12-31"]
  ] as const) {
    it.effect(`${name}: holidays and early closes of ${entry} from ${first} to ${last}`, () =>
      Effect.gen(function* () {
        const calendar = yield* calendarNamed(name)
        const text = hoursIn(calendar.zone)
        const state = (session: TradingSession | null) =>
          session === null ? "closed" : session.irregular ? text(session) : "regular"
        const theirs = databaseDays(entry)
        const found: Array<Difference> = []
        for (let date = Date.parse(first); date <= Date.parse(last); date += day) {
          const weekday = new Date(date).getUTCDay()
          // What it says of a Saturday or a Sunday says nothing: those are closed as it is.
          if (name !== "24/7" && (weekday === 0 || weekday === 6)) continue
          const difference = {
            date: iso(date),
            ours: state(calendar.sessionOn(date)),
            theirs: theirs.get(iso(date)) ?? "regular"
          }
          if (difference.ours !== difference.theirs) found.push(difference)
        }
        assertListed("database", name, found)
      })
    )
  }
})
