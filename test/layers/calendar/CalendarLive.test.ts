import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CalendarLive from "../../../src/layers/calendar/CalendarLive.ts"
import { Calendar } from "../../../src/services/Calendar.ts"

describe("Calendar", () => {
  it.effect("gives the same calendar for the same name", () =>
    Effect.gen(function* () {
      const calendars = yield* Calendar
      assert.strictEqual(yield* calendars.get("XNYS"), yield* calendars.get("XNYS"))
    }).pipe(Effect.provide(CalendarLive.layer))
  )

  it.effect("says which names there are when one is unknown", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* Calendar).get("NYSE"))
      assert.strictEqual(error.message, "no calendar named NYSE; known: 24/5, 24/7, XCBF, XHKG, XLON, XNAS, XNYS")
      assert.strictEqual(error.reason._tag, "UnknownCalendar")
    }).pipe(Effect.provide(CalendarLive.layer))
  )

  it.effect("lists calendars as they are", () =>
    Effect.gen(function* () {
      const calendars = yield* Calendar
      const list = yield* calendars.list
      assert.strictEqual(list.length, 7)
      for (const { known, name, zone } of list) {
        const calendar = yield* calendars.get(name)
        assert.deepStrictEqual([calendar.name, calendar.zone, calendar.known], [name, zone, known])
      }
    }).pipe(Effect.provide(CalendarLive.layer))
  )
})
