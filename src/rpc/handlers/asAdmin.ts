/** Calls that anybody may make, and that do more for who may change the deployment. */
import { Context, Effect } from "effect"
import type { Headers } from "effect/http"
import type { AdminToken } from "./AdminToken.ts"
import { presentedBy, refusalOf } from "./adminAdmission.ts"
import { Caller } from "./Caller.ts"

/** The token of the server; null: nobody but who comes over the Unix socket may change the deployment. */
export const ServerAdminToken = Context.Reference<AdminToken | null>("tapestry/ServerAdminToken", {
  defaultValue: () => null
})

/** What the queue is told of the caller. */
export const asAdminOf =
  (token: AdminToken | null) =>
  (headers: Headers.Headers): Effect.Effect<{ readonly asAdmin?: true }> =>
    Effect.map(Caller, (caller) =>
      refusalOf(token, caller, presentedBy(headers.authorization)) === null ? { asAdmin: true } : {}
    )
