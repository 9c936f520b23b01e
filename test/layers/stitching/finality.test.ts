/** The rule of what is final, from all its sides, over every timeframe and calendars of every shape. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import { closeOf, finalEnd, finalSince, openEnd } from "../../../src/layers/stitching/finality.ts"
import { kiritimati, late, lunch, newYork, overnight, sydney, weekdays } from "../../support/calendars.ts"
import { day, minute, utc } from "./support.ts"

const calendars = fc.constantFrom(null, newYork, lunch, overnight, weekdays, sydney, kiritimati, late)
const timeframes = fc.constantFrom(...Timeframe.all)
const instants = fc.oneof(
  fc.integer({ min: utc("1989-06-01"), max: utc("2031-01-01") }),
  fc
    .tuple(
      fc.constantFrom("2024-03-08", "2024-11-01", "2024-11-27", "2024-12-23", "2025-01-08", "1990-01-01", "2028-12-30"),
      fc.nat(6 * day)
    )
    .map(([date, offset]) => utc(date) + offset)
)
const limitsOf = fc.record({
  finalityDelay: fc.oneof(fc.constantFrom(0, 0, 15 * minute), fc.nat(3 * day)),
  stampsOnGrid: fc.boolean()
})

describe("finality", () => {
  it("C34 what is final is the same from both sides, with a calendar and without", () => {
    fc.assert(
      fc.property(timeframes, instants, limitsOf, calendars, (timeframe, end, limits, calendar) => {
        const since = finalSince(timeframe, end, limits, calendar)
        assert.isAtLeast(finalEnd(timeframe, since, limits, calendar), end)
        assert.isBelow(finalEnd(timeframe, since - 1, limits, calendar), end)
      }),
      { numRuns: 5_000 }
    )
  })

  it("C34 a bar is final when its period has closed, and all before it have, and the delay has passed", () => {
    fc.assert(
      fc.property(timeframes, instants, limitsOf, calendars, (timeframe, now, limits, calendar) => {
        if (Timeframe.isIntraday(timeframe)) return
        const end = finalEnd(timeframe, now, limits, calendar)
        const isOver = (stamp: number) => closeOf(timeframe, stamp, calendar) + limits.finalityDelay <= now
        assert.isFalse(isOver(end))
        let stamp = end
        for (let back = 0; back < 12; back++) {
          stamp = Timeframe.floor(timeframe, stamp - 1)
          assert.isTrue(isOver(stamp))
        }
      }),
      { numRuns: 3_000 }
    )
  })

  it("C34 nothing is final that could not be asked for yet", () => {
    fc.assert(
      fc.property(timeframes, instants, limitsOf, calendars, (timeframe, now, limits, calendar) => {
        assert.isAtMost(finalEnd(timeframe, now, limits, calendar), openEnd(timeframe, now, calendar))
      }),
      { numRuns: 3_000 }
    )
  })

  it("C34 days close with their session: the half day early, the holiday with its date, the week with its last session", () => {
    const close = (timeframe: Timeframe.Timeframe, date: string) =>
      new Date(closeOf(timeframe, utc(date), newYork)).toISOString()
    assert.strictEqual(close("1d", "2024-03-08"), "2024-03-08T21:00:00.000Z")
    assert.strictEqual(close("1d", "2024-03-11"), "2024-03-11T20:00:00.000Z")
    assert.strictEqual(close("1d", "2024-11-29"), "2024-11-29T18:00:00.000Z")
    assert.strictEqual(close("1d", "2024-11-28"), "2024-11-29T00:00:00.000Z")
    assert.strictEqual(close("1w", "2024-11-25"), "2024-11-29T18:00:00.000Z")
    // Good Friday: the week, the month and the quarter end on the Thursday.
    assert.strictEqual(close("1w", "2024-03-25"), "2024-03-28T20:00:00.000Z")
    assert.strictEqual(close("1mo", "2024-03-01"), "2024-03-28T20:00:00.000Z")
    assert.strictEqual(close("3mo", "2024-01-01"), "2024-03-28T20:00:00.000Z")
    assert.strictEqual(close("1d", "1989-12-29"), "1989-12-30T00:00:00.000Z")
  })

  it("C34 the bar of a date that has not begun in UTC can be asked for once its session is open", () => {
    assert.strictEqual(openEnd("1d", utc("2024-01-07T22:59:59Z"), sydney), utc("2024-01-08"))
    assert.strictEqual(openEnd("1d", utc("2024-01-07T23:00:00Z"), sydney), utc("2024-01-09"))
    assert.strictEqual(openEnd("1d", utc("2024-01-07T23:00:00Z"), null), utc("2024-01-08"))
  })
})
