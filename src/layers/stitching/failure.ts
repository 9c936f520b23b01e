import type { CoverageState } from "../../domain/Coverage.ts"
import type { VendorError } from "../../services/Adapter.ts"
import type { AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import type { CalendarError } from "../../services/Calendar.ts"
import type { IngestSessionError } from "../../services/IngestSession.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { QuotaError } from "../../services/Quota.ts"
import type {
  DiskTooFull,
  NoSuchRow,
  RangeIncomplete,
  TooManyRequests,
  TooManyRows,
  UnknownSeries
} from "../../services/StitchingCache.ts"

/** Why a piece of a range could not be had. */
export type Failure =
  | VendorError
  | QuotaError
  | AdapterRegistryError
  | IngestSessionError
  | ProvenanceStoreError
  | MarketStoreError

/** Why a call of the service fails. */
export type Refusal =
  | Failure
  | CalendarError
  | RangeIncomplete
  | TooManyRows
  | TooManyRequests
  | DiskTooFull
  | NoSuchRow
  | UnknownSeries

/** Looks through the ingest session to what failed behind it. */
export const unwrap = (failure: Failure): Failure =>
  failure._tag === "IngestSessionError" && failure.reason._tag !== "CacheMiss" ? failure.reason : failure

/**
 * True when it is this data directory or its configuration that failed, not the vendor: then the rest of the range is no
 * answer either, and the read fails whatever the caller said of holes.
 */
export const isOurs = (failure: Failure): boolean => {
  switch (failure._tag) {
    case "AdapterRegistryError":
      return true
    case "ProvenanceStoreError":
      return failure.reason._tag.startsWith("Archive")
    case "MarketStoreError":
      return failure.reason._tag.startsWith("Store")
    case "QuotaError":
      return failure.reason._tag === "QuotaUnavailable"
    case "IngestSessionError":
      return failure.reason._tag !== "CacheMiss" && isOurs(failure.reason)
    default:
      return false
  }
}

/** How a hole that a failure left is reported. */
export const stateOf = (failure: Failure): CoverageState => {
  const reason = failure.reason
  if (reason._tag === "BreakerOpen") {
    return { _tag: "Throttled", retryAfter: reason.retryAfter, cause: failure.message }
  }
  return "retryAfter" in reason
    ? { _tag: "Throttled", retryAfter: reason.retryAfter }
    : { _tag: "Missing", cause: { tag: reason._tag, message: failure.message } }
}

/** Equal for failures that mean the same to a caller; how long to wait may differ. */
export const kindOf = (failure: Failure): string => {
  const reason = failure.reason
  return `${failure._tag}/${reason._tag}${"retryAfter" in reason ? "" : `/${failure.message}`}`
}
