/** What becomes of a batch that failed. */
import type { ImportsError } from "../../services/Imports.ts"

/** What the store says of rows that it will never take. */
const refusals: ReadonlySet<string> = new Set(["InvalidRow", "InvalidCoverage", "StoreConstraintViolation"])

/**
 * True when the store may take the same batch later: it cannot be reached, is full, or is being migrated. False when it refuses what is
 * in it, which it will again.
 */
export const mayPass = ({ reason }: ImportsError): boolean => {
  switch (reason._tag) {
    case "UnreadableText":
    case "RowRefused":
    case "VendorNotOurs":
      return false
    case "MarketStoreError":
      return !refusals.has(reason.reason._tag)
    case "ProvenanceStoreError":
      return reason.reason._tag !== "NotCanonical" && reason.reason._tag !== "PayloadTooLarge"
  }
}
