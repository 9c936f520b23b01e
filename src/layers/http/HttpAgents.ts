/** What is behind an HttpPool. Apart from it, so that the declarations of apps that embed us name nothing of Node. */
import { Agent } from "node:http"
import { Agent as TlsAgent } from "node:https"
import type { HttpPool } from "./HttpPool.ts"

/** Idle connections are closed after so many milliseconds; many servers do it after 5 to 60 seconds. */
const idle = 15_000

const open = () => {
  const kept = { keepAlive: true, timeout: idle, scheduling: "lifo" } as const
  return { plain: new Agent(kept), tls: new TlsAgent(kept), freshPlain: new Agent(), freshTls: new TlsAgent() }
}

const agents = new WeakMap<HttpPool, ReturnType<typeof open>>()

export const openAgents = (pool: HttpPool): void => {
  agents.set(pool, open())
}

/** A pool that is closed has none; who still holds it sends on a connection of its own. */
export const closeAgents = (pool: HttpPool): void => {
  for (const agent of Object.values(agents.get(pool) ?? {})) agent.destroy()
  agents.delete(pool)
}

/** The agent for a URL: of kept connections, or of `fresh` ones. */
export const agentFor = (pool: HttpPool, { protocol }: URL, fresh: boolean): Agent | false => {
  const own = agents.get(pool)
  if (own === undefined) return false
  if (protocol === "https:") return fresh ? own.freshTls : own.tls
  return fresh ? own.freshPlain : own.plain
}
