import type { ResponseMetadata } from "../../domain/Response.ts"
import {
  NotEntitled,
  NotFound,
  Rejected,
  Throttled,
  Unavailable,
  type VendorAnswer,
  type VendorErrorReason
} from "../../services/Adapter.ts"
import { type HttpAnswer, type HttpFault, metadataOf } from "./HttpAnswer.ts"
import type { HttpFailure } from "./HttpFailure.ts"
import { retryAfter } from "./retryAfter.ts"

/** What a status means when nothing else is known of a vendor. `rest` is how long one that throttles is left alone unless it says. */
export interface StatusReading {
  readonly now: number
  readonly rest: number
  /** The vendor's own word for it. */
  readonly said: string
}

/** Null for what answers the question: 2xx but 202, and 304 which says that the question was answered before. */
export const refusalOfStatus = (
  { headers, status }: Pick<HttpAnswer, "headers" | "status">,
  { now, rest, said }: StatusReading
): VendorErrorReason | null => {
  if ((status >= 200 && status < 300 && status !== 202) || status === 304) return null
  const message = said === "" ? `HTTP ${status}` : `HTTP ${status}: ${said}`
  const asked = retryAfter(headers, now)
  if (status === 429) return new Throttled({ retryAfter: asked ?? rest })
  // A server that says when it will be back asks for the same as one that counts requests.
  if (status === 503 && asked !== null && asked > 0) return new Throttled({ retryAfter: asked })
  if (status === 401 || status === 403) return new NotEntitled({ message })
  if (status === 404 || status === 410) return new NotFound({ message })
  // Accepted is not answered: what was asked for may be there later.
  if (status === 202 || status === 408 || status === 425 || status >= 500) return new Unavailable({ message })
  return new Rejected({ message })
}

/** An exchange that brought no answer, as the vendor's error. */
export const reasonOfFailure = ({ message, reason }: HttpFailure): VendorErrorReason =>
  reason._tag === "Untrusted" ? new Rejected({ message }) : new Unavailable({ message })

const refusalOfFault = (fault: HttpFault): VendorErrorReason =>
  fault._tag === "TooLarge" || fault._tag === "RedirectRefused"
    ? new Rejected({ message: fault.message })
    : new Unavailable({ message: fault.message })

/**
 * An answer for the archive. `refusal` is what its status and body mean; of an answer with a fault only Throttled is believed,
 * because it was said in the head.
 */
export const vendorAnswer = (
  answer: HttpAnswer,
  refusal: VendorErrorReason | null,
  adapter: ResponseMetadata["adapter"] = {}
): VendorAnswer => {
  const { body, fault } = answer
  const metadata = metadataOf(answer, adapter)
  if (fault === null) return { body, metadata, refusal }
  const believed = refusal?._tag === "Throttled" ? refusal : refusalOfFault(fault)
  return fault._tag === "RedirectRefused"
    ? { body, metadata, refusal: believed }
    : { body, metadata, refusal: believed, brokenOff: fault.message }
}
