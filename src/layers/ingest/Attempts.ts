/**
 * One call at a vendor: its record, its attempts, and what it brought, archived.
 *
 * Order of an attempt: breaker, budget, vendor, archive. The place in flight is given back before the bytes are archived.
 * From the moment an answer is there, until it is archived, nothing interrupts: what was paid for is kept. The pauses
 * between attempts, the wait for the budget and the vendor's own time can be interrupted.
 *
 * What came of a body is in a draft of the attempt's scope; the scope ends when the answer is archived or given up.
 *
 * Each attempt that reached the vendor leaves a Response, also one that failed or died; an interrupted one leaves none, and
 * its call is closed as `cancelled`.
 */
import { Cause, Effect, Exit, Metric, References, Scope } from "effect"
import type { RequestId } from "../../domain/Request.ts"
import {
  bareMetadata,
  type Response,
  type ResponseMetadata,
  type ResponseStatus,
  statusOfBytes
} from "../../domain/Response.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import {
  type Adapter,
  type FetchCapability,
  FirstByte,
  Malformed,
  Revalidating,
  Unavailable,
  type Validators,
  type VendorAnswer,
  VendorError,
  type VendorErrorReason,
  type VendorRequest
} from "../../services/Adapter.ts"
import { archiveBytes, quotaWaitSeconds, vendorRequests } from "../../services/Metrics.ts"
import { type ArchivedBytes, type PayloadDraft, PayloadDrafts } from "../../services/PayloadDraft.ts"
import type { NewRequest, ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { Quota, QuotaError } from "../../services/Quota.ts"
import { FaultPoint } from "../FaultPoint.ts"
import { wholeMillis } from "../wholeMillis.ts"
import type { Cockpit } from "./Flights.ts"
import { lateRecord } from "./lateRecord.ts"
import { isRetryable, RetryPolicy, schedule } from "./RetryPolicy.ts"

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

export interface Call {
  readonly adapter: Adapter & { readonly fetch: FetchCapability }
  readonly request: VendorRequest
  readonly record: NewRequest
  readonly priority: number
  /** The caller takes NotFound and NotEntitled for an answer. */
  readonly takesRefusal: boolean
  /** The answer to be confirmed, with its bytes; null: asked outright. */
  readonly earlier: Earlier | null
}

/** An archived answer that the vendor may confirm. */
export interface Earlier {
  readonly response: Response
  readonly payload: ArchivedBytes
}

/** What the vendor said, archived. A refusal is one that it put in writing: NotFound or NotEntitled. */
export interface Landed {
  readonly response: Response
  readonly payload: ArchivedBytes
  readonly refusal: VendorErrorReason | null
}

export type CallError = VendorError | QuotaError | ProvenanceStoreError

const statusOf = ({ answer, reason }: Outcome): ResponseStatus => {
  if (answer?.brokenOff !== undefined) return "partial"
  switch (reason?._tag) {
    case undefined:
      return "ok"
    case "NotFound":
      return "not_found"
    case "NotEntitled":
      return "not_entitled"
    case "Throttled":
      return "throttled"
    default:
      return "error"
  }
}

export const isWritten = (reason: VendorErrorReason): boolean =>
  reason._tag === "NotFound" || reason._tag === "NotEntitled"

const noBytes = new Uint8Array(0)

/** What an answer means. A body that broke off proves nothing, whatever its status line says. */
const reasonOf = (
  { brokenOff, notModified, refusal }: VendorAnswer,
  earlier: Earlier | null
): VendorErrorReason | null => {
  if (brokenOff !== undefined && (refusal === null || isWritten(refusal)))
    return new Unavailable({ message: brokenOff })
  return notModified === true && earlier === null
    ? new Malformed({ position: null, message: "the vendor says that nothing has changed, and was not asked that" })
    : refusal
}

const validatorNames = ["etag", "last-modified", "content-type", "content-encoding"]

const validatorsOf = ({ metadata: { headers } }: Response): Validators => ({
  etag: headers.etag ?? null,
  lastModified: headers["last-modified"] ?? null
})

/** True where the vendor can be asked whether an answer still holds. */
export const canBeConfirmed = (response: Response): boolean => {
  const { etag, lastModified } = validatorsOf(response)
  return etag !== null || lastModified !== null
}

/** A confirmation says nothing of the bytes that it confirms: what does stays with them. */
const confirmedMetadata = (said: ResponseMetadata, { metadata }: Response): ResponseMetadata => ({
  ...said,
  confirmedStatus: statusOfBytes(metadata),
  contentType: metadata.contentType,
  encoding: metadata.encoding,
  headers: {
    ...Object.fromEntries(Object.entries(metadata.headers).filter(([name]) => validatorNames.includes(name))),
    ...said.headers
  },
  adapter: { ...metadata.adapter, ...said.adapter }
})

/** What came back from one attempt, bytes or none. */
interface Outcome {
  readonly answer: VendorAnswer | null
  readonly reason: VendorErrorReason | null
  readonly waited: number
  readonly askedAt: EpochMillis
}

const speaksAgainstVendor = (error: CallError): boolean =>
  error._tag === "VendorError" && error.reason._tag === "Unavailable"
const vendorError = (error: CallError): VendorError | null => (error._tag === "VendorError" ? error : null)

export const make = Effect.fnUntraced(function* (store: ProvenanceStore["Service"], quota: Quota["Service"]) {
  const act = yield* FaultPoint
  const policy = yield* RetryPolicy
  const pauses = schedule(policy, vendorError)
  /** Limits whose windows the quota knows. By object: an adapter registered anew brings new ones. */
  const configured = new WeakSet<Adapter["limits"]>()

  const configure = Effect.fnUntraced(function* (adapter: Adapter) {
    if (configured.has(adapter.limits)) return
    const { windows, maxInFlight } = adapter.limits
    yield* quota.configure(adapter.account, { windows, maxInFlight })
    configured.add(adapter.limits)
  })

  /** Everything but the wait for the budget and the vendor's own time is uninterruptible: an answer is never dropped. */
  const ask = (call: Call, cockpit: Cockpit, restore: Restore, draft: Effect.Effect<PayloadDraft>) => {
    const { adapter, earlier, request } = call
    return Effect.scoped(
      Effect.flatMap(
        restore(
          quota.reserve(adapter.account, { weight: request.weight, keys: request.keys, priority: call.priority })
        ),
        Effect.fnUntraced(function* ({ waited }) {
          yield* Metric.update(quotaWaitSeconds(adapter.account), waited / 1000)
          const askedAt = yield* wholeMillis
          return yield* restore(
            adapter.fetch
              .fetch(request)
              .pipe(
                Effect.provideService(FirstByte, cockpit.bytesBegan),
                Effect.provideService(PayloadDrafts, draft),
                Effect.provideService(Revalidating, earlier === null ? null : validatorsOf(earlier.response))
              )
          ).pipe(
            Effect.matchCauseEffect({
              onSuccess: (answer): Effect.Effect<Outcome> => {
                cockpit.bytesBegan()
                return Effect.succeed({ answer, reason: reasonOf(answer, earlier), waited, askedAt })
              },
              onFailure: (cause): Effect.Effect<Outcome> => {
                const failed = cause.reasons.find(Cause.isFailReason)
                if (failed !== undefined) {
                  return Effect.succeed({ answer: null, reason: failed.error.reason, waited, askedAt })
                }
                const unexpected: Effect.Effect<never> = Effect.failCause(
                  Cause.fromReasons(cause.reasons.filter((reason) => !Cause.isFailReason(reason)))
                )
                // Nothing is archived of a request that was given up, so it is counted here.
                return Cause.hasInterruptsOnly(cause)
                  ? Effect.flatMap(Metric.update(vendorRequests(adapter.name, "cancelled"), 1), () => unexpected)
                  : unexpected
              }
            })
          )
        })
      )
    )
  }

  const fly = Effect.fnUntraced(function* (call: Call, cockpit: Cockpit) {
    const { adapter } = call
    const request = yield* store.openRequest(call.record)
    let attempt = 0
    let last: Response | null = null

    const archive = Effect.fnUntraced(function* (outcome: Outcome, status: ResponseStatus, cause: string | null) {
      const elapsed = (yield* wholeMillis) - outcome.askedAt
      const { answer } = outcome
      const confirmed = answer?.notModified === true ? call.earlier : null
      const metadata = answer?.metadata ?? bareMetadata
      const response = yield* store.append({
        request,
        attempt,
        askedAt: outcome.askedAt,
        status,
        body: confirmed === null ? (answer?.body ?? null) : null,
        metadata: confirmed === null ? metadata : confirmedMetadata(metadata, confirmed.response),
        cause,
        waited: outcome.waited,
        ...(confirmed === null ? {} : { revalidated: confirmed.response.id })
      })
      last = response
      yield* logAttempt(call, { attempt, status, bytes: response.sizeBytes, waited: outcome.waited, elapsed })
      yield* Metric.update(vendorRequests(adapter.name, status), 1)
      yield* Metric.update(archiveBytes, response.sizeBytes)
      act("afterResponse")
      return response
    })

    const settle = Effect.fnUntraced(function* (outcome: Outcome) {
      if (outcome.reason?._tag === "Throttled") yield* leaveAlone(outcome.reason.retryAfter)
      const error = outcome.reason === null ? null : new VendorError({ vendor: adapter.name, reason: outcome.reason })
      const response = yield* archive(outcome, statusOf(outcome), error?.message ?? null)
      cockpit.bytesArchived()
      if (error !== null && !isWritten(error.reason)) return yield* error
      const landed: Landed = { response, payload: yield* payloadOf(outcome.answer), refusal: error?.reason ?? null }
      return landed
    })

    /** Others who ask this vendor need not be told the same again; when that cannot be written down they will be. */
    const leaveAlone = (millis: number) =>
      Effect.catch(quota.rest(adapter.account, millis), ({ message }) => Effect.logWarning(message))

    const payloadOf = (answer: VendorAnswer | null) => {
      if (answer?.notModified === true && call.earlier !== null) return Effect.succeed(call.earlier.payload)
      const body = answer?.body ?? noBytes
      return body instanceof Uint8Array ? Effect.succeed<ArchivedBytes>(body) : store.open(body.sha256)
    }

    const once = quota.guard(
      adapter.account,
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.scope, (scope) => {
          attempt += 1
          return ask(call, cockpit, restore, Scope.provide(store.draft, scope))
        }).pipe(
          Effect.tapCause((cause) =>
            Cause.hasDies(cause)
              ? Effect.flatMap(wholeMillis, (askedAt) =>
                  archive({ answer: null, reason: null, waited: 0, askedAt }, "error", describe(cause))
                )
              : Effect.void
          ),
          Effect.flatMap(settle),
          Effect.scoped
        )
      ),
      speaksAgainstVendor
    )

    return yield* configure(adapter).pipe(
      Effect.andThen(once),
      Effect.retry({
        schedule: pauses,
        while: (error: CallError) => error._tag === "VendorError" && isRetryable(policy, error) && cockpit.isWanted()
      }),
      Effect.interruptible,
      Effect.onExit((exit) => close(request, call, exit, last))
    )
  }, Effect.uninterruptible)

  /** An answer closed its call when it was appended; this closes the others. */
  const close = (request: RequestId, call: Call, exit: Exit.Exit<Landed, CallError>, last: Response | null) =>
    Exit.match(exit, {
      onSuccess: ({ refusal, response }) =>
        refusal === null
          ? Effect.void
          : closeRequest(store, request, call.takesRefusal ? "fetched" : "failed", response.id, response.cause),
      onFailure: (cause) =>
        Cause.hasInterruptsOnly(cause)
          ? closeRequest(store, request, "cancelled", null, "interrupted")
          : closeRequest(store, request, "failed", last?.id ?? null, describe(cause))
    })

  return fly
})

/**
 * One line an attempt; `waited` and `elapsed` are milliseconds. A server's operator sees it under the name of the call that
 * caused it; an app that embeds us has a log of its own, where it is for debugging.
 */
const logAttempt = (
  { adapter, request }: Call,
  attempt: {
    readonly attempt: number
    readonly status: ResponseStatus
    readonly bytes: number
    readonly waited: number
    readonly elapsed: number
  }
): Effect.Effect<void> =>
  Effect.flatMap(References.CurrentLogAnnotations, (about) =>
    Effect.annotateLogs(
      Object.hasOwn(about, "call") ? Effect.logInfo("tapestry.fetch") : Effect.logDebug("tapestry.fetch"),
      { vendor: adapter.name, kind: request.kind, ...attempt }
    )
  )

/** The end of a call, written down as well as it can be: what was fetched is not withheld because its record is late. */
export const closeRequest = (
  store: ProvenanceStore["Service"],
  ...args: Parameters<ProvenanceStore["Service"]["closeRequest"]>
): Effect.Effect<void> =>
  Effect.catch(store.closeRequest(...args), (error) =>
    lateRecord(error, `request ${args[0]} stays open until the next start: ${error.message}`)
  )

/** A sentence for the record. */
export const describe = (cause: Cause.Cause<{ readonly message: string }>): string => {
  const failed = cause.reasons.find(Cause.isFailReason)
  return failed === undefined ? `defect: ${Cause.squash(cause)}` : failed.error.message
}
