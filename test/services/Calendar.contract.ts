/** What every layer of the Calendar service does, whichever calendars it has. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Calendar } from "../../src/services/Calendar.ts"

const day = 86_400_000

export const calendarSuite = (name: string, calendars: Layer.Layer<Calendar>, names: ReadonlyArray<string>): void =>
  layer(calendars)(`Calendar (${name})`, (it) => {
    it.effect("lists its calendars in alphabetical order, as they are", () =>
      Effect.gen(function* () {
        const service = yield* Calendar
        const list = yield* service.list
        assert.deepStrictEqual(
          list.map((one) => one.name),
          names
        )
        for (const { known, name, zone } of list) {
          const calendar = yield* service.get(name)
          assert.deepStrictEqual([calendar.name, calendar.zone, calendar.known], [name, zone, known])
        }
      })
    )

    it.effect("gives the same calendar for the same name", () =>
      Effect.gen(function* () {
        const service = yield* Calendar
        for (const name of names) assert.strictEqual(yield* service.get(name), yield* service.get(name))
      })
    )

    it.effect("says which names there are when one is unknown", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* Calendar).get("xnys"))
        assert.strictEqual(error.message, `no calendar named xnys; known: ${names.join(", ")}`)
        assert.deepStrictEqual(error.reason.known, names)
      })
    )

    it.effect("knows nothing beyond what it knows", () =>
      Effect.gen(function* () {
        const service = yield* Calendar
        for (const name of names) {
          const { closedDates, closures, known, next, previous, sessions } = yield* service.get(name)
          for (const range of [
            { start: known.start - 400 * day, end: known.start },
            { start: known.end, end: known.end + 400 * day }
          ]) {
            assert.deepStrictEqual(sessions(range), [])
            assert.deepStrictEqual(closures(range), [])
            assert.deepStrictEqual(closedDates(range), [])
          }
          assert.isNull(previous(known.start))
          assert.isNull(next(known.end + day))
        }
      })
    )

    it.effect("has a session on every date that is not closed", () =>
      Effect.gen(function* () {
        const service = yield* Calendar
        for (const name of names) {
          const { closedDates, known, sessions } = yield* service.get(name)
          const closed = closedDates(known).reduce((days, { end, start }) => days + (end - start) / day, 0)
          assert.strictEqual(sessions(known).length + closed, (known.end - known.start) / day)
        }
      })
    )
  })
