/** Three quarters of an hour of the day of bench/ibkr-day, and that it finds what is broken on purpose. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type DayOptions, day } from "../../../../bench/ibkr-day/day.ts"

const reset = { after: 20, minutes: 5 }
const brief: DayOptions = { minutes: 3, seed: 7, consumers: 100, activity: 1, killEvery: 60, reset }

describe("a day of the gateway", () => {
  it.effect(
    "100 lines, 1,000 consumers, a mishap every minute and the nightly reset: all is told, and nothing stays behind",
    () =>
      Effect.gen(function* () {
        const report = yield* day({ ...brief, minutes: 45, seed: 4, consumers: 1_000, killEvery: 20 })
        assert.deepStrictEqual(report.problems, [])
        assert.strictEqual(report.before.requests.length, 103)
        assert.isAbove(report.rowsCompared, 8_000)
        assert.isAbove(report.quotesCompared, 1_500)
        assert.isAbove(report.rowsRepaired, 300)
        assert.isAbove(report.reconnects, 15)
        assert.isAbove(report.slowEnded, 100)
        assert.isBelow(report.unrepairable, 0.5)
        assert.isAtMost(report.mostMessages, 50)
        assert.strictEqual(report.kills, 2)
        assert.isAbove(report.stored.rows, 8_000)
        // What was lost with a recording that was killed, and what the budget of the history did not have room for.
        assert.isAbove(report.stored.unclaimed, 0.01)
        assert.isBelow(report.stored.unclaimed, 0.5)
        assert.isAbove(report.stored.jobs, 50)
        assert.strictEqual(report.stored.unclaimedAfterJobs, 0)
        assert.isAtLeast(report.stored.seriesRebuilt, 7)
      }),
    300_000
  )

  it.effect("a single trade that is lost is found", () =>
    Effect.gen(function* () {
      const { problems } = yield* day({ ...brief, sabotage: "row" })
      assert.strictEqual(problems.length, 2)
      assert.match(problems[0] ?? "", /^trades of \w+: happened and was not told: /)
      assert.match(problems[1] ?? "", /^stored trades of \w+: 1 rows are claimed and missing, such as /)
    })
  )

  it.effect("a single row that the recording has lost is found", () =>
    Effect.gen(function* () {
      const { problems } = yield* day({ ...brief, sabotage: "segment" })
      assert.strictEqual(problems.length, 1)
      assert.match(problems[0] ?? "", /^stored trades of \w+: 1 rows are claimed and missing, such as /)
    })
  )

  it.effect("a line that is not given back is found", () =>
    Effect.gen(function* () {
      const { problems } = yield* day({ ...brief, sabotage: "line" })
      assert.include(problems, 'requests at the gateway: more ["quote GBP.USD"], less []')
    })
  )
})
