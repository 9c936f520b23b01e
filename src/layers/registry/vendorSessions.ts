import { Effect } from "effect"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { VendorSession } from "../../services/VendorSession.ts"

/** The sessions of the vendors that have one, by the vendors' names. */
export const vendorSessions = Effect.fnUntraced(function* (registry: AdapterRegistry["Service"]) {
  const sessions: Array<VendorSession> = []
  for (const name of yield* registry.list) {
    // One that was unregistered in between is not there any more.
    const adapter = yield* Effect.orElseSucceed(registry.resolve(name), () => null)
    if (adapter?.session !== undefined) sessions.push(yield* adapter.session.now)
  }
  return sessions
})
