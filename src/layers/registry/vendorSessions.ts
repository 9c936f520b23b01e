import { Effect } from "effect"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { SessionCapability, VendorSession } from "../../services/VendorSession.ts"

const capabilities = Effect.fnUntraced(function* (registry: AdapterRegistry["Service"]) {
  const sessions: Array<SessionCapability> = []
  for (const name of yield* registry.list) {
    // One that was unregistered in between is not there any more.
    const adapter = yield* Effect.orElseSucceed(registry.resolve(name), () => null)
    if (adapter?.session !== undefined) sessions.push(adapter.session)
  }
  return sessions
})

/** The sessions of the vendors that have one, by the vendors' names. */
export const vendorSessions = (registry: AdapterRegistry["Service"]): Effect.Effect<ReadonlyArray<VendorSession>> =>
  Effect.flatMap(capabilities(registry), (all) => Effect.forEach(all, ({ now }) => now))

/** Has all of them connect that are there now; done when each is, or when its patience is over. */
export const connectSessions = (registry: AdapterRegistry["Service"]): Effect.Effect<void> =>
  Effect.flatMap(capabilities(registry), (all) =>
    Effect.forEach(all, ({ connect }) => connect, { concurrency: "unbounded", discard: true })
  )
