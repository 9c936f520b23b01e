import { Context, Effect } from "effect"

/** Whether the server is going down. Whoever runs the calls (RpcHostLive) provides it to them. */
export const Draining = Context.Reference<Effect.Effect<boolean>>("tapestry/Draining", {
  defaultValue: () => Effect.succeed(false)
})
