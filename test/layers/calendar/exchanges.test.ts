import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CalendarLive from "../../../src/layers/calendar/CalendarLive.ts"
import { Calendar } from "../../../src/services/Calendar.ts"
import { type OracleRow, oracle, oracleRows } from "./oracle.ts"

const iso = (instant: number | null): string =>
  instant === null ? "" : new Date(instant).toISOString().replace(".000Z", "Z")

describe.skipIf(!oracle)("every row of the published calendars", () => {
  for (const [file, name] of [
    ["xnys", "XNYS"],
    ["24-5", "24/5"],
    ["24-7", "24/7"]
  ] as const) {
    it.effect(`${name} as ${file}.csv has it`, () =>
      Effect.gen(function* () {
        const calendar = yield* (yield* Calendar).get(name)
        const rows = oracleRows(file)
        const first = Date.parse(rows[0]?.session ?? "")
        const last = Date.parse(rows.at(-1)?.session ?? "")
        const sessions = calendar.sessions({ start: first, end: last + 1 }).map(
          (session): OracleRow => ({
            session: iso(session.date),
            open: iso(session.open),
            close: iso(session.close),
            breakStart: iso(session.breakStart),
            breakEnd: iso(session.breakEnd)
          })
        )
        assert.deepStrictEqual(sessions, rows)
      }).pipe(Effect.provide(CalendarLive.layer))
    )
  }
})
