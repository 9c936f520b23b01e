import { Effect, type Scope } from "effect"
import { closeAgents, openAgents } from "./HttpAgents.ts"

/**
 * Connections that are kept open between requests, as long as the scope lives.
 *
 * Queueing: none; how many requests are in flight is the quota's to say. Hard case: a server may close an idle connection at
 * the moment a request is sent on it. The one that was sent in vain is sent again on a connection of its own.
 */
export interface HttpPool {
  readonly _tag: "HttpPool"
}

export const make: Effect.Effect<HttpPool, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const pool: HttpPool = { _tag: "HttpPool" }
    openAgents(pool)
    return pool
  }),
  (pool) => Effect.sync(() => closeAgents(pool))
)
