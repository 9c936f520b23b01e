import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { specOf } from "../../src/programs/jobs/jobFlags.ts"

const none = { key: Option.none(), notBefore: Option.none(), cron: Option.none(), tz: Option.none() }
const input = { ...none, priority: "medium", attempts: 3 } as const
const what = { type: "backfill", payload: { vendor: "sample", symbols: ["SPX"], last: 86_400_000 } }
const noon = Date.UTC(2024, 2, 1, 12)
const day = 86_400_000

describe("the key of a job", () => {
  it.effect("is the same on one day and another on the next, whatever the order of the payload's keys", () =>
    Effect.gen(function* () {
      const first = yield* specOf(input, what, noon)
      assert.match(first.key, /^backfill\/[0-9a-f]{16}\/2024-03-01$/)
      assert.strictEqual((yield* specOf(input, what, noon + day / 2 - 1)).key, first.key)
      assert.notStrictEqual((yield* specOf(input, what, noon + day / 2)).key, first.key)
      const { last, symbols, vendor } = what.payload
      const turned = { ...what, payload: { last, symbols, vendor } }
      assert.strictEqual((yield* specOf(input, turned, noon)).key, first.key)
      const other = { ...what, payload: { ...what.payload, last: 1 } }
      assert.notStrictEqual((yield* specOf(input, other, noon)).key, first.key)
    })
  )

  it.effect("of a schedule is the same on all days", () =>
    Effect.gen(function* () {
      const scheduled = { ...input, cron: Option.some("0 6 * * *") }
      const first = yield* specOf(scheduled, what, noon)
      assert.strictEqual((yield* specOf(scheduled, what, noon + 9 * day)).key, first.key)
      assert.deepStrictEqual(first.schedule, { cron: "0 6 * * *" })
    })
  )
})
