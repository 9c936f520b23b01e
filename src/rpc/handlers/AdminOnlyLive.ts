import { Effect, Layer } from "effect"
import { AdminOnly } from "../contract/AdminOnly.ts"
import type { AdminToken } from "./AdminToken.ts"
import { presentedBy, refusalOf } from "./adminAdmission.ts"
import { Caller } from "./Caller.ts"

/** Admits who has the token; null: nobody but who comes over the Unix socket. What is admitted is in the log, with from where. */
export const layer = (token: AdminToken | null): Layer.Layer<AdminOnly> =>
  Layer.succeed(AdminOnly, (call, { headers }) =>
    Effect.flatMap(Caller, (caller) => {
      const refusal = refusalOf(token, caller, presentedBy(headers.authorization))
      if (refusal !== null) return Effect.fail(refusal)
      const from = caller === null ? {} : { transport: caller.transport, peer: caller.peer }
      return Effect.andThen(Effect.annotateLogs(Effect.logInfo("tapestry.admin"), from), call)
    })
  )
