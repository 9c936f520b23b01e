/** What a buffer knows of its rows at each moment; the policies are tested through the processor. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { RowBuffer } from "../../../src/layers/batch/RowBuffer.ts"
import { row } from "./support.ts"

const arriving = (index: number) => ({ ...row(index), bytes: 1, done: null })

describe("RowBuffer", () => {
  it.effect("a producer that is interrupted right after its row got in has left it there, and it is counted", () =>
    Effect.gen(function* () {
      let changes = 0
      const buffer = new RowBuffer({
        kind: "signal",
        capacity: 1,
        overflow: "suspend",
        now: () => 0,
        changed: () => {
          changes++
        }
      })
      yield* buffer.enter(arriving(0))
      const waiting = yield* Effect.forkChild(buffer.enter(arriving(1)), { startImmediately: true })
      const leaving = yield* Effect.forkChild(buffer.enter(arriving(2)), { startImmediately: true })
      assert.deepStrictEqual([buffer.taken, buffer.settledThrough], [1, 0])
      yield* Fiber.interrupt(leaving)
      const first = buffer.take(10, 10)
      assert.deepStrictEqual([buffer.taken, buffer.settledThrough, buffer.held], [1, 0, 1])
      const before = changes
      buffer.settle(first)
      waiting.interruptUnsafe()
      yield* Fiber.await(waiting)
      assert.isAbove(changes, before)
      assert.deepStrictEqual([buffer.taken, buffer.settledThrough, buffer.length], [2, 1, 1])
      buffer.settle(buffer.take(10, 10))
      assert.deepStrictEqual([buffer.taken, buffer.settledThrough, buffer.held], [2, 2, 0])
    })
  )
})
