import type { TenantName } from "../../../domain/Tenant.ts"
import { MarketStoreError, StoreTenantDenied } from "../../../services/MarketStore.ts"

/** The store at `where` has no such tenant. */
export const tenantDenied = (where: string, name: TenantName) =>
  new MarketStoreError({
    reason: new StoreTenantDenied({
      message: `${where} has no tenant ${name}: tapestry tenants list shows those that are there, tapestry tenants add ${name} makes it`
    })
  })
