/** What becomes of a batch that failed. */
import type { ImportsError } from "../../services/Imports.ts"

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
      return reason.reason._tag !== "InvalidRow" && reason.reason._tag !== "InvalidCoverage"
    case "ProvenanceStoreError":
      return reason.reason._tag !== "NotCanonical" && reason.reason._tag !== "PayloadTooLarge"
  }
}
