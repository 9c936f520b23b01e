import { Effect } from "effect"
import { defaultTenant, TenantId, type TenantName } from "../../../domain/Tenant.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { text } from "../../postgres/values.ts"
import { tenantDenied } from "../tenants/tenantDenied.ts"

const select = "select tapestry_app.tenant_id($1)::text"

/** What the database knows a tenant by. */
export const tenantId = Effect.fnUntraced(function* (database: PostgresDatabase, name: TenantName) {
  if (name === defaultTenant.name) return defaultTenant.id
  const [row] = yield* database.bare("tenant")(select, [text(name)])
  const id = row?.[0]
  return typeof id === "string" ? TenantId.make(id) : yield* tenantDenied(database.address, name)
})
