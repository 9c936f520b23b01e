/** Whether a call that changes the deployment may begin. */
import { AdminError, AdminOff, NotOfTenant, Unauthenticated } from "../contract/AdminOnly.ts"
import { tenantHeader } from "../contract/Border.ts"
import * as AdminToken from "./AdminToken.ts"
import type { Caller } from "./Caller.ts"

const bearer = /^Bearer +(\S+) *$/i

/** The token of a header `authorization`; undefined where it has none. */
export const presentedBy = (authorization: string | undefined): string | undefined =>
  bearer.exec(authorization ?? "")?.[1]

const off = new AdminError({
  reason: new AdminOff({
    message:
      "this server has no admin token, so the deployment cannot be changed over the network; start it with TAPESTRY_ADMIN_TOKEN or TAPESTRY_ADMIN_TOKEN_FILE, or use the commands of tapestry where it runs"
  })
})

const unauthenticated = (message: string) => new AdminError({ reason: new Unauthenticated({ message }) })
const missing = unauthenticated("this needs the admin token, as the header authorization: Bearer TOKEN")
const wrong = unauthenticated("this is not the admin token of this server")

/** Null: it may. */
export const refusalOf = (
  token: AdminToken.AdminToken | null,
  caller: Caller | null,
  presented: string | undefined
): AdminError | null => {
  // The mode of its file is the guard: who may open it may do everything.
  if (caller?.transport === "unix") return null
  if (token === null) return off
  if (presented === undefined) return missing
  return AdminToken.matches(token, presented) ? null : wrong
}

/**
 * For what changes the deployment for everybody: null where the call names no tenant, or the one that the server was started for, as
 * whose it is done.
 */
export const notOfTenant = (named: string | undefined, own: string | null, what: string): AdminError | null =>
  named === undefined || named === own
    ? null
    : new AdminError({
        reason: new NotOfTenant({
          tenant: named,
          message: `${what} changes the whole deployment, and is nothing of the tenant ${named}; ask for it without the header ${tenantHeader}`
        })
      })
