import { Context } from "effect"
import type { TenantName } from "../../../domain/Tenant.ts"
import type { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import type { ContractLookups } from "../../../services/ContractLookups.ts"
import type { ControlPlane } from "../../../services/ControlPlane.ts"
import type { JobQueue } from "../../../services/JobQueue.ts"
import type { MarketStreams } from "../../../services/MarketStreams.ts"
import type { StitchingCache } from "../../../services/StitchingCache.ts"

/** What the API over HTTP stands on. */
export type ApiServices = AdapterRegistry | ContractLookups | ControlPlane | JobQueue | MarketStreams | StitchingCache

export interface ControlTenant {
  readonly tenant: TenantName
  readonly services: Context.Context<ApiServices>
}

/** The other tenant that a request names, and what works for it; null: that of the server. */
export const ControlTenant = Context.Reference<ControlTenant | null>("tapestry/ControlTenant", {
  defaultValue: () => null
})
