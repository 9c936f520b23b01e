/**
 * The quota against its promises, from outside: for random windows, requests, weights, keys, priorities, interruptions, wall
 * clocks set forward and back, and restarts.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { QuotaWindow } from "../../../src/domain/VendorLimits.ts"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import { account, openQuota, startOf } from "../../services/quotaSupport.ts"
import { type AskedFor, bestStarts, longestHold, mostHeld, requestOf, type Step, simulate } from "./simulation.ts"
import { temporaryFile } from "./support.ts"

const arbitraryWindows: fc.Arbitrary<ReadonlyArray<QuotaWindow>> = fc
  .array(
    fc.record({
      limit: fc.integer({ min: 2, max: 8 }),
      span: fc.integer({ min: 1, max: 60 }),
      key: fc.constantFrom(null, null, "contract")
    }),
    { minLength: 1, maxLength: 3 }
  )
  .map((windows) => windows.map((window, index) => ({ ...window, name: `window ${index}` })))

const arbitraryAsk = (
  priorities: ReadonlyArray<number>,
  holds: ReadonlyArray<number> = [0]
): fc.Arbitrary<Extract<Step, { _tag: "Ask" }>> =>
  fc.record({
    _tag: fc.constant("Ask" as const),
    weight: fc.constantFrom(1, 1, 1, 2, 0.5),
    key: fc.constantFrom("ES", "NQ", "CL"),
    priority: fc.constantFrom(...priorities),
    hold: fc.constantFrom(...holds)
  })

const arbitraryAdvance: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("Advance" as const),
  millis: fc.integer({ min: 0, max: 40 })
})

const arbitraryWall: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("SetWall" as const),
  by: fc.constantFrom(-3_600_000, -50, -7, 7, 50, 3_600_000)
})
const arbitraryInterrupt: fc.Arbitrary<Step> = fc.record({
  _tag: fc.constant("Interrupt" as const),
  which: fc.nat(50)
})
const arbitraryRestart: fc.Arbitrary<Step> = fc.constant({ _tag: "Restart" as const })

const arbitraryTrouble: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: arbitraryWall },
  { weight: 4, arbitrary: arbitraryInterrupt },
  { weight: 1, arbitrary: arbitraryRestart }
)

const arbitrarySteps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: arbitraryAsk([0, 0, 1, 5, -3], [0, 0, 3, longestHold]) },
    { weight: 2, arbitrary: arbitraryAdvance },
    { weight: 2, arbitrary: arbitraryTrouble }
  ),
  { minLength: 10, maxLength: 80, size: "max" }
)

const underTestClock = <A, E>(effect: Effect.Effect<A, E, import("effect").Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(TestClock.layer())))

/** A waiter leaves, and others ask within the same millisecond. */
const leavesAsOthersArrive: [ReadonlyArray<QuotaWindow>, Array<Step>] = (() => {
  const ask = (weight: number): Step => ({ _tag: "Ask", weight, key: "ES", priority: 0, hold: 0 })
  return [
    [
      { limit: 2, span: 2, key: null, name: "window 0" },
      { limit: 2, span: 1, key: null, name: "window 1" }
    ],
    [ask(1), ask(0.5), ask(1), { _tag: "Advance", millis: 1 }, { _tag: "Interrupt", which: 0 }, ask(2), ask(0.5)]
  ]
})()

describe("Quota, for any requests and any trouble", () => {
  it("never lets a window hold more than its limit, and lets everybody start", async () => {
    const features = new Map<string, number>()
    const count = (feature: string, present: boolean) =>
      features.set(feature, (features.get(feature) ?? 0) + (present ? 1 : 0))
    const bound = fc.constantFrom(null, null, 1, 3)
    const check = fc.asyncProperty(arbitraryWindows, bound, arbitrarySteps, (windows, maxInFlight, steps) =>
      underTestClock(
        Effect.gen(function* () {
          const layer = QuotaSqlite.layer({ filename: yield* temporaryFile })
          const run = yield* simulate(layer, { windows, maxInFlight }, steps)
          for (const window of windows) {
            const held = mostHeld(window, run.starts)
            assert.isAtMost(held, window.limit, `${window.name} held ${held} of ${window.limit}`)
          }
          // A restart begins to count anew while those of before are still in flight.
          const restarts = steps.filter((step) => step._tag === "Restart").length
          if (maxInFlight !== null) assert.isAtMost(run.mostInFlight, maxInFlight * (restarts + 1))
          assert.strictEqual(run.starved, 0)
          const asked = steps.filter((step) => step._tag === "Ask")
          assert.strictEqual(run.starts.length + run.interrupted + run.cutOff, asked.length)
          const wall = steps.filter((step) => step._tag === "SetWall").map((step) => step.by)
          count("cases", true)
          count("several windows", windows.length > 1)
          count(
            "keyed window",
            windows.some((window) => window.key !== null)
          )
          count(
            "a window was full",
            windows.some((window) => mostHeld(window, run.starts) === window.limit)
          )
          count("places in flight were full", maxInFlight !== null && run.mostInFlight >= maxInFlight)
          count(
            "somebody waited",
            run.starts.some(({ asked, at }) => at > asked)
          )
          count("different weights", new Set(asked.map(({ weight }) => weight)).size > 1)
          count("different priorities", new Set(asked.map(({ priority }) => priority)).size > 1)
          count("interrupted waiter", run.interrupted > 0)
          count(
            "wall clock forward",
            wall.some((by) => by > 0)
          )
          count(
            "wall clock back",
            wall.some((by) => by < 0)
          )
          count(
            "restart",
            steps.some((step) => step._tag === "Restart")
          )
          count("restart with waiters", run.cutOff > 0)
        })
      )
    )
    await fc.assert(check, { numRuns: 250 })
    console.log(`quota property: ${Array.from(features, ([name, cases]) => `${name} ${cases}`).join(", ")}`)
    for (const [feature, cases] of features) assert.isAtLeast(cases, 25, feature)
  }, 120_000)

  it("waits in total no more than 1 % longer than the best sliding log, priorities being equal", async () => {
    const totals = { cases: 0, waiting: 0, left: 0, wall: 0, restarts: 0, waited: 0, best: 0 }
    // A wall clock that is wrong and a restart together make waiting longer than needed unavoidable, so a case has one of them.
    const stepsWith = (trouble: fc.Arbitrary<Step>) =>
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: arbitraryAsk([0]) },
          { weight: 2, arbitrary: arbitraryAdvance },
          { weight: 1, arbitrary: arbitraryInterrupt },
          { weight: 1, arbitrary: trouble }
        ),
        { minLength: 5, maxLength: 60 }
      )
    const arbitraryAsks = fc.oneof(stepsWith(arbitraryWall), stepsWith(arbitraryRestart))
    const check = fc.asyncProperty(arbitraryWindows, arbitraryAsks, (windows, steps) =>
      underTestClock(
        Effect.gen(function* () {
          const layer = QuotaSqlite.layer({ filename: yield* temporaryFile })
          const { left, starts } = yield* simulate(layer, { windows, maxInFlight: null }, steps)
          let clock = 0
          const asks: Array<AskedFor> = []
          for (const step of steps) {
            if (step._tag === "Advance") clock += step.millis
            if (step._tag !== "Ask") continue
            asks.push({ asked: clock, weight: step.weight, key: step.key, left: left.get(asks.length) ?? null })
          }
          const ideal = bestStarts(windows, asks)
          const waited = starts.reduce((sum, { asked, at }) => sum + at - asked, 0)
          const best = starts.reduce((sum, { asked, index }) => sum + (ideal[index] ?? Number.NaN) - asked, 0)
          assert.strictEqual(starts.length + left.size, asks.length)
          assert.isAtMost(waited, best * 1.01)
          totals.cases++
          totals.waiting += best > 0 ? 1 : 0
          totals.left += left.size > 0 ? 1 : 0
          totals.wall += steps.some((step) => step._tag === "SetWall") ? 1 : 0
          totals.restarts += steps.some((step) => step._tag === "Restart") ? 1 : 0
          totals.waited += waited
          totals.best += best
        })
      )
    )
    await fc.assert(check, { numRuns: 200, examples: [leavesAsOthersArrive] })
    console.log(
      `quota optimum: ${totals.cases} cases, ${totals.waiting} with waiting, ${totals.left} where waiters left, ${totals.wall} with wall clock steps, ${totals.restarts} with restarts; waited ${totals.waited} ms, best ${totals.best} ms`
    )
    for (const share of ["waiting", "left", "wall", "restarts"] as const) assert.isAtLeast(totals[share], 20, share)
  }, 120_000)

  it("forecasts what then happens, and forecasting changes nothing", async () => {
    const totals = { cases: 0, waiting: 0, requests: 0 }
    const asks = fc.array(arbitraryAsk([0, 0, 1, 5, -3]), { minLength: 1, maxLength: 25 })
    const check = fc.asyncProperty(arbitraryWindows, asks, fc.nat(50), asks, (windows, first, pause, second) =>
      underTestClock(
        Effect.gen(function* () {
          const quota = yield* openQuota(QuotaSqlite.layer({ filename: ":memory:" }))
          yield* quota.configure(account, { windows, maxInFlight: null })
          const start = (step: (typeof first)[number]) => startOf(quota, requestOf(step), account)
          yield* Effect.forEach(first, start)
          yield* TestClock.adjust(pause)
          const before = yield* quota.use(account)
          const forecast = yield* quota.forecast(account, second.map(requestOf))
          assert.deepStrictEqual(yield* quota.forecast(account, second.map(requestOf)), forecast)
          assert.deepStrictEqual(yield* quota.use(account), before)
          const fibers = yield* Effect.forEach(second, start)
          yield* TestClock.adjust(60 * 60)
          const starts = yield* Effect.forEach(fibers, Fiber.join)
          assert.deepStrictEqual(
            starts.map((at) => at - pause),
            forecast
          )
          totals.cases++
          totals.requests += second.length
          totals.waiting += forecast.some((wait) => wait > 0) ? 1 : 0
        })
      )
    )
    await fc.assert(check, { numRuns: 200 })
    console.log(
      `quota forecast: ${totals.cases} cases, ${totals.requests} requests, ${totals.waiting} cases with waiting`
    )
    assert.isAtLeast(totals.waiting, 50)
  }, 120_000)
})
