import type { TenantSummary } from "../../../services/Tenants.ts"
import { instantOrNull } from "../../format/Documents.ts"

export const tenantDocument = ({ createdAt, id, name, rows, series }: TenantSummary) => ({
  name,
  id,
  createdAt: instantOrNull(createdAt === 0 ? null : createdAt),
  series,
  rows
})
