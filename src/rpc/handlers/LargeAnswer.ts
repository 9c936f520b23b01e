import { Context, Effect, type Scope } from "effect"

/**
 * Waits until the caller's connection may be sent a large answer, and holds that place until the call's own scope closes, which
 * is when its answer was handed over: of the many calls that a client may have open, one has rows in memory at a time, and the
 * next begins to gather its own when the client has taken that. Whoever runs the calls (RpcHostLive) provides it.
 */
export const LargeAnswer = Context.Reference<Effect.Effect<void, never, Scope.Scope>>("tapestry/LargeAnswer", {
  defaultValue: () => Effect.void
})

export const largeAnswer: Effect.Effect<void, never, Scope.Scope> = Effect.flatten(LargeAnswer)
