/**
 * Writes of one transaction that go on while their caller makes the next ones ready: client and server work at the same time.
 *
 * Responsibilities: order, and that nothing is on its way any more when the body has ended, however it did. Queueing: one write is at the
 * server; who brings the next waits until it is done, so what is made ready and not written is never more than one. Statements
 * of a connection run one after another, so whoever reads meanwhile sees all that was put before.
 *
 * Hard cases. A write that fails makes the transaction refuse every statement behind it, so that the body may well fail for that before
 * it hears of the cause: the write's own failure is what is reported. A body that is interrupted interrupts the write.
 */
import { Effect, Fiber } from "effect"

/** Begins a write when the one before it is done. */
export type Put<E> = (write: Effect.Effect<unknown, E>) => Effect.Effect<void, E>

export const writeBehind = <A, E, R, W>(body: (put: Put<W>) => Effect.Effect<A, E, R>): Effect.Effect<A, E | W, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      let writing: Fiber.Fiber<unknown, W> | undefined
      const written = Effect.suspend(() => {
        const last = writing
        writing = undefined
        return last === undefined ? Effect.void : Fiber.join(last)
      })
      const put: Put<W> = (write) =>
        Effect.flatMap(written, () =>
          Effect.map(Effect.forkIn(write, scope, { startImmediately: true }), (fiber) => {
            writing = fiber
          })
        )
      const done = yield* Effect.catch(body(put), (error) => Effect.andThen(written, Effect.fail(error)))
      yield* written
      return done
    })
  )
