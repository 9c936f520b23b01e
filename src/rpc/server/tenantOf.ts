import { Result, Schema } from "effect"
import { TenantName } from "../../domain/Tenant.ts"
import { TenantError, TenantMalformed } from "../../services/TenantError.ts"
import { tenantHeader } from "../contract/Border.ts"

const isName = Schema.is(TenantName)

/** Of a name that may be anything, in words. */
const longest = 80

/** The tenant that a header names; null: none is named, or `own`, that of the server. */
export const tenantOf = (named: string | undefined, own: TenantName): Result.Result<TenantName | null, TenantError> => {
  if (named === undefined || named === own) return Result.succeed(null)
  if (isName(named)) return Result.succeed(named)
  const tenant = named.slice(0, longest)
  return Result.fail(
    new TenantError({
      reason: new TenantMalformed({
        tenant,
        message: `${tenantHeader}: ${JSON.stringify(tenant)} is no name of a tenant, which is 1 to 63 of a-z, 0-9 and -, and begins and ends with none of the last`
      })
    })
  )
}
