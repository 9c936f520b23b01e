import { Context } from "effect"
import type { TenantName } from "../../../domain/Tenant.ts"
import type { ControlPlane } from "../../../services/ControlPlane.ts"
import type { JobQueue } from "../../../services/JobQueue.ts"

export interface ControlTenant {
  readonly tenant: TenantName
  readonly services: Context.Context<ControlPlane | JobQueue>
}

/** The other tenant that a request of the control plane names, and what works for it; null: that of the server. */
export const ControlTenant = Context.Reference<ControlTenant | null>("tapestry/ControlTenant", {
  defaultValue: () => null
})
