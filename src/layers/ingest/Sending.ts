/**
 * What is sent to a vendor, once. Two records are on the disk before anything goes out: that of the key, and that of what is sent with the number by which
 * the vendor will know it. Whoever finds them after a crash can look for it there; and as long as the first is in the archive, nothing is sent under its key
 * again.
 *
 * Queueing: none; what is sent does not wait for the quota, which paces questions. Two callers with one key: the second is refused while the first is
 * under way. A key is the deployment's and not a tenant's: the vendor's account is the same for all of them.
 *
 * Hard cases. From the first record on nothing interrupts, until what came of it is archived: a caller who leaves must not make an order nobody's. A key whose
 * sending failed before anything went out is free again: its record is closed as `failed`, which no other end is. What was sent and cannot be archived
 * afterwards (a full disk) is told as OutcomeUnknown, whatever the vendor said: with anything else the caller might send it again.
 */
import { Cause, Effect, Metric } from "effect"
import type { RequestIdentity } from "../../domain/Request.ts"
import type { SessionId } from "../../domain/Session.ts"
import {
  type Adapter,
  OutcomeUnknown,
  type SendCapability,
  type VendorAnswer,
  VendorError,
  type VendorRequest
} from "../../services/Adapter.ts"
import { AlreadySent, type SentExchange } from "../../services/IngestSession.ts"
import { vendorRequests } from "../../services/Metrics.ts"
import type { NewRequest, ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { FaultPoint } from "../FaultPoint.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { closeRequest, describe } from "./Attempts.ts"

type Sender = Adapter & { readonly send: SendCapability }

const identityOf = (source: string, request: Pick<VendorRequest, "kind" | "params" | "body">): RequestIdentity => ({
  source,
  kind: request.kind,
  method: "SEND",
  params: request.params,
  body: request.body,
  bucket: null,
  cacheTag: null
})

const keyOf = (source: string, key: string) =>
  identityOf(source, { kind: "key", params: { reference: key }, body: null })

export const make = (store: ProvenanceStore["Service"]) => {
  /** Under way in this process. */
  const busy = new Set<string>()

  /** Fails where something has been sent under the key, or may have been, for whichever tenant; `mine` and what came after it are not meant. */
  const checkKey = Effect.fnUntraced(function* (source: string, key: string, mine: number) {
    const identity = yield* store.identify(keyOf(source, key))
    const used = (yield* store.everybodys(identity)).find(({ id }) => id < mine)
    if (used === undefined) return
    const { id, own, response } = used
    return yield* new AlreadySent({ source, key, request: own ? id : null, response: own ? response : null })
  })

  const record = (session: SessionId, identity: RequestIdentity): NewRequest => ({
    session,
    identity,
    subject: null,
    cacheMode: { _tag: "bypass" },
    durable: true
  })

  const unknown = (vendor: string, request: VendorRequest, why: string) =>
    new VendorError({
      vendor,
      reason: new OutcomeUnknown({
        reference: JSON.stringify(request.params),
        message: `it was sent, and ${why}; look at what is at work there before anything else is sent`
      })
    })

  const sendOnce = Effect.fnUntraced(function* (
    session: SessionId,
    adapter: Sender,
    request: VendorRequest,
    key: string | null
  ): Effect.fn.Return<SentExchange, AlreadySent | VendorError | ProvenanceStoreError> {
    const act = yield* FaultPoint
    const { name } = adapter
    const claim = key === null ? null : yield* store.openRequest(record(session, keyOf(name, key)))
    const free = (why: string) => (claim === null ? Effect.void : closeRequest(store, claim, "failed", null, why))
    // Another may have had the same key recorded meanwhile, on a connection of another tenant: the first of them goes on.
    if (key !== null && claim !== null) {
      yield* Effect.tapError(checkKey(name, key, claim), ({ message }) => free(message))
    }
    const id = yield* store
      .openRequest(record(session, identityOf(name, request)))
      .pipe(Effect.tapError(({ message }) => free(message)))
    act("beforeSend")
    const askedAt = yield* wholeMillis
    const answer = yield* adapter.send.send(request).pipe(
      Effect.tapError((error) =>
        Effect.andThen(closeRequest(store, id, "failed", null, error.message), free(error.message))
      ),
      // A fault of ours says nothing of what went out.
      Effect.catchCause((cause) => {
        const failed = cause.reasons.find(Cause.isFailReason)
        return failed === undefined ? Effect.fail(unknown(name, request, describe(cause))) : Effect.fail(failed.error)
      })
    )
    act("afterSend")
    const { refusal } = answer
    const error = refusal === null ? null : new VendorError({ vendor: name, reason: refusal })
    const status = error === null ? "ok" : "error"
    const response = yield* store
      .append({
        request: id,
        attempt: 1,
        askedAt,
        status,
        body: answer.body,
        metadata: answer.metadata,
        cause: error?.message ?? null,
        waited: 0
      })
      .pipe(
        Effect.mapError(({ message }) =>
          unknown(name, request, `${wordOf(answer)}, which could not be archived: ${message}`)
        )
      )
    yield* Metric.update(vendorRequests(name, status), 1)
    if (error !== null) yield* closeRequest(store, id, "failed", response.id, error.message)
    if (claim !== null) yield* closeRequest(store, claim, "shared", response.id, error?.message ?? null)
    if (error !== null) return yield* error
    return { request: id, response, payload: answer.body instanceof Uint8Array ? answer.body : new Uint8Array(0) }
  })

  return Effect.fnUntraced(function* (
    session: SessionId,
    adapter: Sender,
    prepare: (vendor: SendCapability) => Effect.Effect<VendorRequest, VendorError>,
    key: string | null
  ): Effect.fn.Return<SentExchange, AlreadySent | VendorError | ProvenanceStoreError> {
    const { name } = adapter
    if (key === null)
      return yield* Effect.uninterruptible(sendOnce(session, adapter, yield* prepare(adapter.send), key))
    const mine = `${name} ${key}`
    if (busy.has(mine)) return yield* new AlreadySent({ source: name, key, request: null, response: null })
    busy.add(mine)
    return yield* Effect.gen(function* () {
      yield* checkKey(name, key, Number.POSITIVE_INFINITY)
      const request = yield* prepare(adapter.send)
      return yield* Effect.uninterruptible(sendOnce(session, adapter, request, key))
    }).pipe(Effect.ensuring(Effect.sync(() => busy.delete(mine))))
  })
}

const wordOf = ({ refusal }: VendorAnswer): string =>
  refusal === null ? "the vendor acknowledged it" : `the vendor said: ${refusal.message}`
