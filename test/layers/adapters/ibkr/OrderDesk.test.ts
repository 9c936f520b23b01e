import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { frameOf, messageIdOf } from "../../../../src/layers/adapters/ibkr/frames.ts"
import * as OrderDesk from "../../../../src/layers/adapters/ibkr/OrderDesk.ts"
import { judgeCancelled, judgePlaced } from "../../../../src/layers/adapters/ibkr/orderCodes.ts"
import { Disconnected, IbkrError } from "../../../../src/services/IbkrSession.ts"

const status = (order: number, text: string) => frameOf([3, order, text, 0, 100, 0, 5, 0, 0, 7, "", 0])
const error = (order: number, code: number) => frameOf([4, 2, order, code, "what IB says", ""])
const end = frameOf([53, 1])

const desk = (maxBytes = 1_000_000) => {
  const made = OrderDesk.make(maxBytes)
  return { ...made, take: (frame: Uint8Array) => made.take(frame, messageIdOf(frame)) }
}

const lost = new IbkrError({ reason: new Disconnected({ message: "gone" }) })

describe("what is said of orders", () => {
  it.effect("goes to all who wait for that order, and to nobody else", () =>
    Effect.gen(function* () {
      const { take, wait } = desk()
      assert.isFalse(take(status(1, "Submitted")))
      const placing = yield* wait(1, judgePlaced)
      const cancelling = yield* wait(1, judgeCancelled)
      assert.isFalse(take(status(2, "Submitted")))
      assert.isTrue(take(error(1, 399)))
      assert.isTrue(take(status(1, "PendingSubmit")))
      assert.isTrue(placing.known())
      assert.isTrue(take(status(1, "Submitted")))
      assert.isNull(yield* placing.settled)
      placing.leave()
      assert.isTrue(take(status(1, "Cancelled")))
      assert.isNull(yield* cancelling.settled)
      cancelling.leave()
      assert.isFalse(take(status(1, "Cancelled")))
      assert.deepStrictEqual([placing.frames.length, cancelling.frames.length], [3, 4])
    })
  )

  for (const [code, judge, refused] of [
    [201, judgePlaced, "what IB says (IB's code 201)"],
    [103, judgePlaced, "what IB says (IB's code 103)"],
    [10147, judgeCancelled, "what IB says (IB's code 10147)"],
    [161, judgeCancelled, "what IB says (IB's code 161)"],
    [202, judgeCancelled, null]
  ] as const) {
    it.effect(`code ${code} ends it: ${refused ?? "it is cancelled"}`, () =>
      Effect.gen(function* () {
        const { take, wait } = desk()
        const one = yield* wait(7, judge)
        take(error(7, code))
        assert.strictEqual(yield* one.settled, refused)
        assert.isFalse(one.known())
      })
    )
  }

  it.effect("codes that may be said of living orders end nothing", () =>
    Effect.gen(function* () {
      const { failAll, take, wait } = desk()
      const one = yield* wait(7, judgePlaced)
      for (const code of [399, 404, 434, 2109, 10_349, 12_345]) assert.isTrue(take(error(7, code)))
      failAll(lost)
      assert.strictEqual((yield* Effect.flip(one.settled)).message, "gone")
      assert.strictEqual(one.frames.length, 6)
      assert.strictEqual((yield* Effect.flip((yield* wait(8, judgePlaced)).settled)).message, "gone")
    })
  )
})

describe("a list of open orders", () => {
  it.effect("is what comes until its own end, not that of one that was given up", () =>
    Effect.gen(function* () {
      const { list, take } = desk()
      assert.isFalse(take(end))
      const first = yield* list("open")
      first.asked()
      // Nobody waits for it any more.
      const second = yield* list("open")
      assert.isTrue(take(end), "it came before the second was asked for")
      second.asked()
      const had = yield* Effect.forkChild(second.done, { startImmediately: true })
      assert.isTrue(take(status(1, "Submitted")))
      assert.isTrue(take(end))
      assert.strictEqual((yield* Fiber.join(had)).length, 1)
      const third = yield* list("open")
      third.asked()
      const fourth = yield* list("open")
      fourth.asked()
      assert.isTrue(take(end))
      assert.isTrue(take(status(4, "Submitted")))
      assert.isTrue(take(end))
      assert.strictEqual((yield* fourth.done).length, 1)
    })
  )

  it.effect("keeps nothing once nobody waits for it, however long the connection lasts", () =>
    Effect.gen(function* () {
      const { list, take } = desk()
      const { asked, leave } = yield* list("open")
      asked()
      assert.isTrue(take(status(1, "Submitted")))
      leave()
      assert.isFalse(take(status(2, "Submitted")))
      // Its own end still comes, and is not that of the next.
      const next = yield* list("open")
      next.asked()
      assert.isTrue(take(end))
      assert.isTrue(take(status(3, "Submitted")))
      assert.isTrue(take(end))
      assert.strictEqual((yield* next.done).length, 1)
    })
  )

  it.effect("fails when it is too long, and with the connection", () =>
    Effect.gen(function* () {
      const { failAll, list, take } = desk(50)
      const long = yield* list("open")
      long.asked()
      take(status(1, "Submitted"))
      take(status(2, "Submitted"))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(long.done)))
      const another = yield* list("open")
      failAll(lost)
      assert.strictEqual((yield* Effect.flip(another.done)).message, "gone")
    })
  )
})
