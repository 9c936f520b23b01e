/** What the session or IB said, in the words that every vendor has. */
import {
  NotEntitled,
  NotFound,
  Rejected,
  Throttled,
  Unavailable,
  type VendorErrorReason
} from "../../../services/Adapter.ts"
import { IbkrError, type IbkrErrorReason } from "../../../services/IbkrSession.ts"

/** `rest` (milliseconds): how long the vendor is left alone when it was asked too much. */
export const vendorReason = (reason: IbkrErrorReason, rest: number): VendorErrorReason => {
  const { message } = new IbkrError({ reason })
  switch (reason._tag) {
    case "NoPermission":
      return new NotEntitled({ message })
    case "NoSuchContract":
      return new NotFound({ message })
    case "PacingViolation":
      return new Throttled({ retryAfter: Math.max(rest, reason.retryAfter) })
    case "LinesExhausted":
    case "OutboundFull":
      return new Throttled({ retryAfter: rest })
    case "InvalidRequest":
    case "Incompatible":
      return new Rejected({ message })
    default:
      return new Unavailable({ message })
  }
}
