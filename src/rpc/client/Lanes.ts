import { Effect, Fiber, type Scope } from "effect"

/** Chunks of one call that may lie undelivered before the connection is read no further. */
const roomPerCall = 2

/**
 * Responsibilities: hands messages to the calls that they belong to, each call's in order, without one call waiting for another.
 *
 * effect's client reads its connection in one loop, and a consumer that does not take its chunk stops that loop: no other call's
 * answer is read, nor the Pong, so that a consumer slower than the ping loses the connection for all. Here the message of a call
 * that cannot be delivered at once waits in a fiber of its own.
 *
 * Queueing: bounded. The server sends the next chunk of a call when the last was acknowledged, and it is acknowledged when it was
 * taken, so one chunk and the end of the call is what waits. A server that does not keep to that suspends the reading.
 *
 * Hard cases: a message that is delivered at once leaves no lane behind, which most are, so that a lane is there only while
 * something waits in it. A lane is removed by the last of its fibers to end, also when it was interrupted: what waits when the
 * scope closes is dropped, and the loss is told to the calls past the lanes. Who waits for room asks again once the last fiber
 * ended, since the lane may have gone or filled meanwhile.
 */
export const make = (scope: Scope.Scope) => {
  const lanes = new Map<string | number, { last: Fiber.Fiber<void>; waiting: number }>()

  const follow = (call: string | number, deliver: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const lane = lanes.get(call)
      if (lane === undefined) {
        return Effect.map(Effect.forkIn(deliver, scope, { startImmediately: true }), (fiber) => {
          if (fiber.pollUnsafe() !== undefined) return
          const opened = { last: fiber, waiting: 1 }
          lanes.set(call, opened)
          fiber.addObserver(() => left(call, opened))
        })
      }
      if (lane.waiting >= roomPerCall) return Effect.andThen(Fiber.await(lane.last), follow(call, deliver))
      const before = lane.last
      lane.waiting += 1
      return Effect.map(Effect.forkIn(Effect.andThen(Fiber.await(before), deliver), scope), (fiber) => {
        lane.last = fiber
        fiber.addObserver(() => left(call, lane))
      })
    })

  const left = (call: string | number, lane: { waiting: number }): void => {
    lane.waiting -= 1
    if (lane.waiting === 0) lanes.delete(call)
  }

  return { follow }
}
