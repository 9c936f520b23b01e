import { Duration, Effect } from "effect"
import type { ConnectionCalls } from "./ConnectionCalls.ts"
import { idleDeadline } from "./limits.ts"

const patience = Duration.toMillis(idleDeadline)

/**
 * Closes the connection when there was neither a whole message nor work on a call for five minutes. Half a message is none, and
 * a stream that waits for its client is not worked on: neither keeps a connection that its client has forgotten.
 */
export const watch = (connection: ConnectionCalls, now: () => number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const left = connection.working > 0 ? patience : connection.activeAt + patience - now()
    if (left > 0) return Effect.andThen(Effect.sleep(left), watch(connection, now))
    return connection.transport.close(`nothing was asked or taken for ${idleDeadline}`)
  })
