/**
 * What goes wrong with a request of the control plane, as RFC 9457 has it. `error` is the path of the typed error that the same call
 * over the RPC would fail with, such as `MarketStoreError/StoreSchemaMismatch`; `detail` is its message.
 */
import { Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { HttpApiError } from "effect/http-api"
import type { MarketStoreError } from "../../../../services/MarketStore.ts"
import { errorPath } from "../../../handlers/errorPath.ts"

const type = ProblemDetails.blankType
const fields = { error: Schema.String }

export class Forbidden extends HttpApiError.Problem<Forbidden>()(
  "Forbidden",
  { type, status: 403, title: "Forbidden" },
  fields
) {}
export class Conflict extends HttpApiError.Problem<Conflict>()(
  "Conflict",
  { type, status: 409, title: "Conflict" },
  fields
) {}
export class Failed extends HttpApiError.Problem<Failed>()(
  "Failed",
  { type, status: 500, title: "Internal Server Error" },
  fields
) {}
export class Unavailable extends HttpApiError.Problem<Unavailable>()(
  "Unavailable",
  { type, status: 503, title: "Service Unavailable" },
  fields
) {}
export class TimedOut extends HttpApiError.Problem<TimedOut>()(
  "TimedOut",
  { type, status: 504, title: "Gateway Timeout" },
  fields
) {}
export class Full extends HttpApiError.Problem<Full>()(
  "Full",
  { type, status: 507, title: "Insufficient Storage" },
  fields
) {}

/** Whatever a store may say. */
export const storeProblems = [Conflict, Forbidden, Failed, Unavailable, TimedOut, Full] as const
export type StoreProblem = InstanceType<(typeof storeProblems)[number]>

const said = (error: MarketStoreError) => ({ detail: error.message, error: errorPath(error) })

export const ofStore = (failure: MarketStoreError): StoreProblem => {
  const what = said(failure)
  switch (failure.reason._tag) {
    case "StoreUnavailable":
    case "StoreRetryable":
      return new Unavailable(what)
    case "StoreTimeout":
      return new TimedOut(what)
    case "StoreFull":
      return new Full(what)
    case "StoreTenantDenied":
    case "StoreReadOnly":
      return new Forbidden(what)
    case "StoreSchemaMismatch":
    case "StoreConstraintViolation":
    case "GenerationGone":
      return new Conflict(what)
    case "InvalidRow":
    case "InvalidCoverage":
      return new Failed(what)
  }
}
