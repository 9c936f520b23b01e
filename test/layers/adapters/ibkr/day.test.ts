/** Three quarters of an hour of the day of bench/ibkr-day, and that it finds what is broken on purpose. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type DayOptions, day } from "../../../../bench/ibkr-day/day.ts"

const reset = { after: 20, minutes: 5 }
const brief: DayOptions = { minutes: 3, seed: 7, consumers: 100, activity: 1, reset }

describe("a day of the gateway", () => {
  it.effect(
    "100 lines, 1,000 consumers, a mishap every minute and the nightly reset: all is told, and nothing stays behind",
    () =>
      Effect.gen(function* () {
        const report = yield* day({ ...brief, minutes: 45, seed: 4, consumers: 1_000 })
        assert.deepStrictEqual(report.problems, [])
        assert.strictEqual(report.before.requests.length, 103)
        assert.isAbove(report.rowsCompared, 8_000)
        assert.isAbove(report.quotesCompared, 1_500)
        assert.isAbove(report.rowsRepaired, 300)
        assert.isAbove(report.reconnects, 15)
        assert.isAbove(report.slowEnded, 100)
        assert.isBelow(report.unrepairable, 0.5)
        assert.isAtMost(report.mostMessages, 50)
      }),
    300_000
  )

  it.effect("a single trade that is lost is found", () =>
    Effect.gen(function* () {
      const { problems } = yield* day({ ...brief, sabotage: "row" })
      assert.strictEqual(problems.length, 1)
      assert.match(problems[0] ?? "", /^trades of \w+: happened and was not told: /)
    })
  )

  it.effect("a line that is not given back is found", () =>
    Effect.gen(function* () {
      const { problems } = yield* day({ ...brief, sabotage: "line" })
      assert.isTrue(problems.some((problem) => problem.startsWith("fibers: before")))
      assert.include(problems, 'requests at the gateway: more ["quote GBP.USD"], less []')
    })
  )
})
