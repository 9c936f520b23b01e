/**
 * A command as the owner of its data directory, for as long as it runs.
 *
 * Responsibilities: the services, and the socket at which other commands can ask meanwhile. Queueing: none of its own.
 *
 * Hard cases: most commands are over before anybody could ask, so the server is loaded and started only when the command has run
 * for a while; those who come earlier wait for the lock. A command that is done while others' calls are under way lets them end
 * (at most 10 s) before it lets go of the lock, so that nothing is fetched twice; Ctrl-C then ends it at once.
 */
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import type { TapestryServices } from "../../layers/Tapestry.ts"
import { type Owner, OwnerError } from "../../services/Owner.ts"
import { Output } from "../terminal/Output.ts"
import { done, nobody } from "./Turn.ts"

export type OwnerServices<E, R> = Layer.Layer<TapestryServices | Owner, E | OwnerError, R>

export interface AsOwnerOptions<E, R> {
  readonly dataDir: string
  readonly product: string
  readonly services: Effect.Effect<OwnerServices<E, R>>
}

/** Most commands over stored rows are done by then. */
const serveAfter = "60 millis"
/** From when on it is said that the command is done and waits for others. */
const noticedAfter = "500 millis"

const loadServed = Effect.promise(() =>
  Promise.all([import("../../rpc/server/Served.ts"), import("../../layers/owner/ownerSocket.ts")])
)

/** Serves the owner's socket until the scope closes. A command whose socket cannot be had goes on without: others wait for it. */
const serving = Effect.fnUntraced(
  function* (dataDir: string, product: string, hurry: Effect.Effect<void>) {
    yield* Effect.sleep(serveAfter)
    const [{ serve }, { ownerSocket }] = yield* loadServed
    yield* serve({ product, http: null, tcp: null, socket: yield* ownerSocket(dataDir), hurry })
  },
  Effect.catchCause((cause) => Effect.logDebug("other commands cannot ask this one", cause))
)

const speaking = Effect.gen(function* () {
  const { errorTerminal, note } = yield* Output
  if (!errorTerminal.isTerminal) return
  yield* Effect.sleep(noticedAfter)
  yield* note("done; other commands wait for what this one is fetching for them (Ctrl-C ends it at once)")
})

/** Runs the command over all services; `Nobody` when another was faster to own the directory. */
export const asOwner = Effect.fnUntraced(function* <A, E, R, E2, R2>(
  { dataDir, product, services }: AsOwnerOptions<E2, R2>,
  use: Effect.Effect<A, E, R>
) {
  const opened = yield* Effect.exit(Layer.build(yield* services))
  if (Exit.isFailure(opened)) {
    for (const reason of opened.cause.reasons) {
      if (reason._tag !== "Fail" || !(reason.error instanceof OwnerError)) continue
      const why = reason.error
      if (why.reason._tag === "OwnedElsewhere") return nobody(() => why)
    }
    return yield* Effect.failCause(opened.cause)
  }
  const context = opened.value
  const server = yield* Scope.make()
  const hurry = yield* Deferred.make<void>()
  const ending = Deferred.succeed(hurry, undefined)
  const starting = yield* serving(dataDir, product, Deferred.await(hurry)).pipe(
    Scope.provide(server),
    Effect.provideContext(context),
    Effect.forkChild
  )
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(restore(Effect.provideContext(use, context)))
      if (Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)) yield* ending
      yield* Fiber.interrupt(starting)
      const speaker = yield* Effect.forkChild(speaking)
      const closing = yield* Effect.forkChild(Scope.close(server, Exit.void))
      yield* restore(Fiber.await(closing)).pipe(
        Effect.onInterrupt(() => Effect.andThen(ending, Fiber.await(closing))),
        Effect.ensuring(Fiber.interrupt(speaker))
      )
      return done(yield* exit)
    })
  )
}, Effect.scoped)
