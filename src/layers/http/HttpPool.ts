/**
 * Connections that are kept open between requests, as long as the scope lives.
 *
 * Queueing: none; how many requests are in flight is the quota's to say. Hard case: a server may close an idle connection at
 * the moment a request is sent on it. `fresh` opens a connection of its own for the one that was sent in vain.
 */
import { Agent } from "node:http"
import { Agent as TlsAgent } from "node:https"
import { Effect, type Scope } from "effect"

export interface HttpPool {
  readonly kept: (url: URL) => Agent
  readonly fresh: (url: URL) => Agent
}

/** Idle connections are closed after so many milliseconds; many servers do it after 5 to 60 seconds. */
const idle = 15_000

export const make: Effect.Effect<HttpPool, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const kept = { keepAlive: true, timeout: idle, scheduling: "lifo" } as const
    return {
      plain: new Agent(kept),
      tls: new TlsAgent(kept),
      freshPlain: new Agent(),
      freshTls: new TlsAgent()
    }
  }),
  (agents) =>
    Effect.sync(() => {
      for (const agent of Object.values(agents)) agent.destroy()
    })
).pipe(
  Effect.map(
    (agents): HttpPool => ({
      kept: ({ protocol }) => (protocol === "https:" ? agents.tls : agents.plain),
      fresh: ({ protocol }) => (protocol === "https:" ? agents.freshTls : agents.freshPlain)
    })
  )
)
