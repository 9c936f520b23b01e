/**
 * What goes wrong with a request of the control plane, as RFC 9457 has it. `error` is the path of the typed error that the same call
 * over the RPC would fail with, such as `MarketStoreError/StoreSchemaMismatch`; `detail` is its message.
 */
import { Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { HttpApiError } from "effect/http-api"
import type { JobQueueError } from "../../../../services/JobQueue.ts"
import type { MarketStoreError } from "../../../../services/MarketStore.ts"
import type { AdminError } from "../../../contract/AdminOnly.ts"
import { errorPath } from "../../../handlers/errorPath.ts"
import { statusOf } from "../errorStatus.ts"
import type { Refusal } from "../Refusal.ts"

const type = ProblemDetails.blankType
const fields = { error: Schema.String }

export class Unauthorized extends HttpApiError.Problem<Unauthorized>()(
  "Unauthorized",
  { type, status: 401, title: "Unauthorized" },
  fields
) {}
export class Forbidden extends HttpApiError.Problem<Forbidden>()(
  "Forbidden",
  { type, status: 403, title: "Forbidden" },
  fields
) {}
export class NotFound extends HttpApiError.Problem<NotFound>()(
  "NotFound",
  { type, status: 404, title: "Not Found" },
  fields
) {}
class BadRequest extends HttpApiError.Problem<BadRequest>()(
  "BadRequest",
  { type, status: 400, title: "Bad Request" },
  fields
) {}
class TooMany extends HttpApiError.Problem<TooMany>()(
  "TooMany",
  { type, status: 429, title: "Too Many Requests" },
  fields
) {}
class BadGateway extends HttpApiError.Problem<BadGateway>()(
  "BadGateway",
  { type, status: 502, title: "Bad Gateway" },
  fields
) {}
class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", { type, status: 409, title: "Conflict" }, fields) {}
class Unprocessable extends HttpApiError.Problem<Unprocessable>()(
  "Unprocessable",
  { type, status: 422, title: "Unprocessable Content" },
  fields
) {}
class Failed extends HttpApiError.Problem<Failed>()(
  "Failed",
  { type, status: 500, title: "Internal Server Error" },
  fields
) {}
class Unavailable extends HttpApiError.Problem<Unavailable>()(
  "Unavailable",
  { type, status: 503, title: "Service Unavailable" },
  fields
) {}
class TimedOut extends HttpApiError.Problem<TimedOut>()(
  "TimedOut",
  { type, status: 504, title: "Gateway Timeout" },
  fields
) {}
class Full extends HttpApiError.Problem<Full>()("Full", { type, status: 507, title: "Insufficient Storage" }, fields) {}

/** Whatever a store may say. */
export const storeProblems = [Conflict, Forbidden, Failed, Unavailable, TimedOut, Full] as const
export type StoreProblem = InstanceType<(typeof storeProblems)[number]>

/** Whatever the queue of jobs may say. */
export const jobProblems = [...storeProblems, NotFound, Unprocessable] as const
export type JobProblem = InstanceType<(typeof jobProblems)[number]>

/** Whatever a vendor may say, and who stands between. */
export const marketProblems = [...storeProblems, BadRequest, NotFound, Unprocessable, TooMany, BadGateway] as const
export type MarketProblem = InstanceType<(typeof marketProblems)[number]>

const said = (error: MarketStoreError | AdminError | JobQueueError) => ({
  detail: error.message,
  error: errorPath(error)
})

const storeProblem = (what: ReturnType<typeof said>, reason: MarketStoreError["reason"]): StoreProblem => {
  switch (reason._tag) {
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

export const ofStore = (failure: MarketStoreError): StoreProblem => storeProblem(said(failure), failure.reason)

export const ofJobs = (failure: JobQueueError): JobProblem => {
  const { reason } = failure
  const what = said(failure)
  switch (reason._tag) {
    case "UnknownJob":
    case "UnknownJobType":
      return new NotFound(what)
    case "AmbiguousJob":
    case "JobFinished":
    case "JobUnfinished":
      return new Conflict(what)
    case "InvalidJob":
      return new Unprocessable(what)
    case "JobsUnavailable":
      return new Unavailable(what)
    case "MarketStoreError":
      return storeProblem(what, reason.reason)
  }
}

export const ofAdmin = (failure: AdminError): Unauthorized | Forbidden =>
  failure.reason._tag === "Unauthenticated" ? new Unauthorized(said(failure)) : new Forbidden(said(failure))

const ofStatus = (status: number, what: { readonly detail: string; readonly error: string }): MarketProblem => {
  switch (status) {
    case 400:
      return new BadRequest(what)
    case 403:
      return new Forbidden(what)
    case 404:
      return new NotFound(what)
    case 409:
      return new Conflict(what)
    case 422:
      return new Unprocessable(what)
    case 429:
      return new TooMany(what)
    case 502:
      return new BadGateway(what)
    case 503:
      return new Unavailable(what)
    case 504:
      return new TimedOut(what)
    case 507:
      return new Full(what)
    default:
      return new Failed(what)
  }
}

export const ofMarket = (failure: Refusal | { readonly message: string }): MarketProblem =>
  "line" in failure
    ? ofStatus(failure.status, { detail: String(failure.line.detail), error: String(failure.line.error) })
    : ofStatus(statusOf(failure), { detail: failure.message, error: errorPath(failure) })
