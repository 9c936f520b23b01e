import { Effect, Layer } from "effect"
import { defaultTenant } from "../../domain/Tenant.ts"
import { AdminOnly } from "../contract/AdminOnly.ts"
import { tenantHeader } from "../contract/Border.ts"
import type { AdminToken } from "./AdminToken.ts"
import { notOfTenant, presentedBy, refusalOf } from "./adminAdmission.ts"
import { Caller } from "./Caller.ts"

/**
 * Admits who has the token; null: nobody but who comes over the Unix socket. What is admitted is in the log, with from where. Whoever asks
 * for another tenant than `own`, that of the server, is refused: the deployment is nobody's.
 */
export const layer = (token: AdminToken | null, own: string = defaultTenant.name): Layer.Layer<AdminOnly> =>
  Layer.succeed(AdminOnly, (call, { headers, rpc }) =>
    Effect.flatMap(Caller, (caller) => {
      const refusal =
        refusalOf(token, caller, presentedBy(headers.authorization)) ??
        notOfTenant(headers[tenantHeader], own, rpc._tag)
      if (refusal !== null) return Effect.fail(refusal)
      const from = caller === null ? {} : { transport: caller.transport, peer: caller.peer }
      return Effect.andThen(Effect.annotateLogs(Effect.logInfo("tapestry.admin"), from), call)
    })
  )
