import { assert, describe, it } from "@effect/vitest"
import { Effect, References } from "effect"
import { TestClock } from "effect/testing"
import { type DispatchedQueue, JobDispatcher, layer } from "../../../src/layers/jobs/JobDispatcher.ts"

describe("the dispatcher of jobs", () => {
  it.effect("goes on after a defect of a queue", () =>
    Effect.gen(function* () {
      const dispatcher = yield* JobDispatcher
      let asked = 0
      let begun = 0
      const queue: DispatchedQueue = {
        upNext: () => {
          asked++
          if (asked === 1) return Effect.die("a row that cannot be read")
          return Effect.succeed(begun === 0 ? { priority: 1, seq: 1, due: 0 } : null)
        },
        begin: () =>
          Effect.sync(() => {
            begun++
            return true
          }),
        running: () => 0
      }
      yield* dispatcher.join(queue)
      yield* Effect.forkScoped(dispatcher.hold({ queue: null, only: null, concurrency: 1 }))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([asked, begun], [1, 0])
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(begun, 1)
    }).pipe(Effect.provide(layer), Effect.provideService(References.MinimumLogLevel, "None"))
  )
})
