import type { VendorErrorReason } from "../../../../services/Adapter.ts"
import type { AdapterRegistryError } from "../../../../services/AdapterRegistry.ts"
import type { MarketStreamsError } from "../../../../services/MarketStreams.ts"
import type { TenantError } from "../../../../services/TenantError.ts"
import { errorPath } from "../../../handlers/errorPath.ts"
import { problem } from "../problem.ts"
import type { Refusal } from "../Refusal.ts"

const ofVendor = ({ _tag }: VendorErrorReason): number => {
  switch (_tag) {
    case "NotFound":
      return 404
    case "NotEntitled":
      return 403
    case "Throttled":
    case "Unavailable":
      return 503
    case "Unsupported":
    case "Rejected":
      return 422
    case "Malformed":
      return 502
  }
}

const statusOf = (error: MarketStreamsError | AdapterRegistryError | TenantError): number => {
  const { reason } = error
  switch (reason._tag) {
    case "VendorError":
      return ofVendor(reason.reason)
    case "AdapterRegistryError":
      return statusOf(reason)
    case "UnknownVendor":
    case "NoSuchTenant":
      return 404
    case "KindNotStreamed":
    case "MissingCapability":
      return 422
    case "TenantMalformed":
      return 400
    default:
      return 503
  }
}

const retryAfter = (error: MarketStreamsError | AdapterRegistryError | TenantError): string => {
  const { reason } = error
  if (reason._tag !== "VendorError" || reason.reason._tag !== "Throttled") return "1"
  return String(Math.max(1, Math.ceil(reason.reason.retryAfter / 1_000)))
}

/** Why there is no feed, for who asked for it. */
export const feedProblem = (error: MarketStreamsError | AdapterRegistryError | TenantError): Refusal => {
  const status = statusOf(error)
  const what = { detail: error.message, error: errorPath(error) }
  return problem(status, what, status === 503 ? { "retry-after": retryAfter(error) } : undefined)
}
