import { EventName, IBApi } from "@stoqey/ib"
import { Effect } from "effect"

/** A client of @stoqey/ib that is ready, with all that it was told. It is disconnected when the scope closes. */
export const stoqey = (port: number, clientId = 0) =>
  Effect.acquireRelease(
    Effect.callback<IBApi>((resume) => {
      const api = new IBApi({ host: "127.0.0.1", port, clientId, maxReqPerSec: 1000 })
      api.once(EventName.nextValidId, () => resume(Effect.succeed(api)))
      api.connect()
    }),
    (api) => Effect.sync(() => api.disconnect())
  )

/** The arguments of the events of a name until one of them is the last. */
export const collected = <A>(
  start: (add: (value: A) => void, done: () => void) => void
): Effect.Effect<ReadonlyArray<A>> =>
  Effect.callback((resume) => {
    const values: Array<A> = []
    start(
      (value) => values.push(value),
      () => resume(Effect.succeed(values))
    )
  })
