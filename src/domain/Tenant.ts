import { Schema } from "effect"

/**
 * What people call a tenant, in commands, headers and file names: 1 to 63 of a-z, 0-9 and -, the first and the last no -. It never
 * changes, and the embedded stores know a tenant by it.
 */
export const TenantName = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)),
  Schema.brand("TenantName")
)
export type TenantName = typeof TenantName.Type

/** What PostgreSQL knows a tenant by: a UUID in lower case, as PostgreSQL writes it. */
export const TenantId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)),
  Schema.brand("TenantId")
)
export type TenantId = typeof TenantId.Type

/** Whose rows, archive, jobs and exports something is; a scope, and no part of a series' key. */
export const Tenant = Schema.Struct({ name: TenantName, id: TenantId })
export interface Tenant extends Schema.Schema.Type<typeof Tenant> {}

/** Whoever names none works for this one; it is in every store from the beginning, and cannot be removed. */
export const defaultTenant: Tenant = {
  name: TenantName.make("default"),
  id: TenantId.make("00000000-0000-0000-0000-000000000001")
}
