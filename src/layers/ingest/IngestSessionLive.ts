/**
 * Audited runs against vendors: archive first, then one flight per identical request, through breaker and quota.
 *
 * Responsibilities: every call leaves a request, whatever becomes of it. The archive answers as far as the cache mode allows;
 * else the call boards the flight of its identity. Whoever boards first has the attempts recorded under its own request, which
 * the flight closes; the others record a `shared` call that names the same response. Queueing: calls wait only for the quota
 * (bounded there) and the archive's writer (bounded there).
 *
 * Hard cases: an archived answer that turns out damaged is fetched again, and heals when the vendor still sends the same
 * bytes; with `onlyIfCached` it is the error. A flight that lands between a look into the archive and boarding makes the call
 * look again. A session may end while its flight goes on for others; the flight's request then ends later than its session.
 */
import { Cause, Clock, Effect, Exit, Layer, Metric } from "effect"
import type { CacheMode, RequestIdentity } from "../../domain/Request.ts"
import type { SessionId } from "../../domain/Session.ts"
import { VendorError, type VendorRequest } from "../../services/Adapter.ts"
import { AdapterRegistry, type AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import {
  CacheMiss,
  type FetchedPayload,
  type FetchOptions,
  IngestSession,
  IngestSessionError,
  type OpenIngestSession
} from "../../services/IngestSession.ts"
import { archiveHits, archiveMisses } from "../../services/Metrics.ts"
import {
  type NewRequest,
  PayloadTooLarge,
  ProvenanceStore,
  ProvenanceStoreError
} from "../../services/ProvenanceStore.ts"
import { Quota } from "../../services/Quota.ts"
import * as Attempts from "./Attempts.ts"
import * as Flights from "./Flights.ts"
import { lateRecord } from "./lateRecord.ts"
import * as Sending from "./Sending.ts"
import * as SessionTally from "./SessionTally.ts"

type Refusal = "NotFound" | "NotEntitled" | null
type Answer = Attempts.Landed & Pick<FetchedPayload, "served">

const ever = -8_640_000_000_000_000

/** The oldest answer that this mode takes, where one of exactly its time to live is too old; null when it takes none. */
const notBefore = (mode: CacheMode, now: number): number | null => {
  switch (mode._tag) {
    case "default":
    case "onlyIfCached":
      return mode.ttl === null ? ever : Math.floor(now - mode.ttl) + 1
    case "maxAge":
      return mode.notBefore
    case "bypass":
    case "revalidate":
      return null
  }
}

const failure = (reason: IngestSessionError["reason"]) => new IngestSessionError({ reason })

const make = Effect.gen(function* () {
  const store = yield* ProvenanceStore
  const registry = yield* AdapterRegistry
  const fly = yield* Attempts.make(store, yield* Quota)
  const sending = Sending.make(store)
  const flights = yield* Flights.make<Attempts.Landed, Attempts.CallError>()

  /** The newest answer whatever its size; null when there is none, or its bytes are gone. */
  const newest = Effect.fnUntraced(function* (hash: string) {
    const response = yield* store.newest(hash)
    if (response === null) return null
    const payload = response.sha256 === null ? new Uint8Array(0) : yield* store.open(response.sha256)
    return { response, payload } satisfies Attempts.Earlier
  })

  /** What the vendor may be asked to confirm. Bytes that are damaged are not confirmed but fetched anew. */
  const confirmable = (hash: string, mode: CacheMode) =>
    mode._tag !== "revalidate"
      ? Effect.succeed(null)
      : Effect.catchReason(newest(hash), "ProvenanceStoreError", "PayloadDamaged", () => Effect.succeed(null)).pipe(
          Effect.map((earlier) => (earlier !== null && Attempts.canBeConfirmed(earlier.response) ? earlier : null))
        )

  const archived = Effect.fnUntraced(function* (hash: string, mode: CacheMode) {
    const oldest = notBefore(mode, yield* Clock.currentTimeMillis)
    if (oldest === null) return null
    const found: Effect.Effect<Attempts.Earlier | null, ProvenanceStoreError> = Effect.catchReason(
      store.lookup(hash, oldest),
      "ProvenanceStoreError",
      "PayloadTooLarge",
      () => newest(hash)
    )
    if (mode._tag === "onlyIfCached") return yield* found
    return yield* Effect.catchReason(found, "ProvenanceStoreError", "PayloadDamaged", (damage) =>
      Effect.as(Effect.logWarning(damage.message), null)
    )
  })

  /** The flight's exit, with a record of its own for a passenger who did not start it. */
  const land = (record: NewRequest, boarded: Flights.Boarded<Attempts.Landed, Attempts.CallError>) =>
    boarded.first
      ? boarded.landing
      : Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(store.openRequest(record), (request) =>
            restore(boarded.landing).pipe(
              Effect.onExit((exit) =>
                Exit.match(exit, {
                  onSuccess: ({ response }) => Attempts.closeRequest(store, request, "shared", response.id, null),
                  onFailure: (cause) =>
                    Cause.hasInterruptsOnly(cause)
                      ? Attempts.closeRequest(store, request, "cancelled", null, "interrupted")
                      : Attempts.closeRequest(store, request, "failed", null, Attempts.describe(cause))
                })
              )
            )
          )
        )

  const miss = Effect.fnUntraced(function* (record: NewRequest, hash: string) {
    const missed = new CacheMiss({ source: record.identity.source, identity: hash })
    const id = yield* store.openRequest(record)
    yield* store.closeRequest(id, "failed", null, missed.message)
    return missed
  }, Effect.uninterruptible)

  const serve = Effect.fnUntraced(function* (
    session: SessionId,
    source: string,
    request: VendorRequest,
    options: FetchOptions,
    takesRefusal: boolean
  ): Effect.fn.Return<Answer, Attempts.CallError | CacheMiss | AdapterRegistryError> {
    const identity: RequestIdentity = {
      source,
      kind: request.kind,
      method: request.method,
      params: request.params,
      body: request.body,
      bucket: options.bucket ?? null,
      cacheTag: options.cacheTag ?? null
    }
    const { cacheMode } = options
    const record: NewRequest = { session, identity, subject: options.subject ?? null, cacheMode }
    const hash = yield* store.identify(identity)
    // The archive is asked once for the counters, however often this call has to look again.
    const always = cacheMode._tag === "bypass" || cacheMode._tag === "revalidate"
    let asked = always
    while (true) {
      const landings = flights.landings()
      const hit = yield* archived(hash, cacheMode)
      if (hit !== null) {
        yield* store.recordHit(record, hit.response.id)
        if (!asked) yield* Metric.update(archiveHits, 1)
        return { response: hit.response, payload: hit.payload, served: "archive", refusal: null }
      }
      if (!asked) yield* Metric.update(archiveMisses, 1)
      asked = true
      if (cacheMode._tag === "onlyIfCached") return yield* yield* miss(record, hash)
      const adapter = yield* registry.fetcher(source)
      const earlier = yield* confirmable(hash, cacheMode)
      const call = { adapter, request, record, priority: options.priority ?? 0, takesRefusal, earlier }
      const answer = yield* flights.board(
        hash,
        always ? null : landings,
        (cockpit) => fly(call, cockpit),
        (boarded) =>
          Effect.map(
            land(record, boarded),
            (landed): Answer => ({ ...landed, served: boarded.first ? "vendor" : "flight" })
          )
      )
      if (answer !== null) return answer
    }
  })

  const open: IngestSession["Service"]["open"] = Effect.fn("IngestSession.open")(function* (options) {
    const { source } = options
    yield* Effect.mapError(registry.fetcher(source), failure)
    const tally = SessionTally.make()
    const id = yield* Effect.acquireRelease(
      Effect.mapError(store.openSession({ source, mode: options.mode, asOf: options.asOf ?? null }), failure),
      (session, exit) => {
        const { outcome, reason } = tally.conclude(exit)
        return Effect.catch(store.closeSession(session, outcome, reason), (error) =>
          lateRecord(error, `session ${session} stays open until the next start: ${error.message}`)
        )
      }
    )

    const counted = <A, E extends { readonly message: string }, R>(call: Effect.Effect<A, E, R>) =>
      call.pipe(
        Effect.tap(() => Effect.sync(tally.served)),
        Effect.tapError((error) => Effect.sync(() => tally.failed(error.message)))
      )

    const ask: OpenIngestSession["ask"] = (request, callOptions) =>
      counted(
        serve(id, source, request, callOptions, true).pipe(
          Effect.map((answer) => ({ ...answer, refusal: refusalOf(answer) })),
          Effect.mapError(failure)
        )
      )

    const fetch: OpenIngestSession["fetch"] = (request, callOptions) =>
      counted(
        serve(id, source, request, callOptions, false).pipe(
          Effect.flatMap(
            (answer): Effect.Effect<FetchedPayload, VendorError | ProvenanceStoreError> =>
              answer.refusal === null
                ? inMemory(answer)
                : Effect.fail(new VendorError({ vendor: source, reason: answer.refusal }))
          ),
          Effect.mapError(failure)
        )
      )

    const send: OpenIngestSession["send"] = Effect.fn("IngestSession.send")((prepare, key) =>
      counted(
        Effect.flatMap(registry.sender(source), (adapter) => sending(id, adapter, prepare, key)).pipe(
          Effect.mapError((error) => (error._tag === "AlreadySent" ? error : failure(error)))
        )
      )
    )

    return { id, source, fetch, ask, send } satisfies OpenIngestSession
  })

  return IngestSession.of({ open })
})

/** For callers who take bytes only. */
const inMemory = ({ payload, response, served }: Answer): Effect.Effect<FetchedPayload, ProvenanceStoreError> =>
  payload instanceof Uint8Array
    ? Effect.succeed({ response, payload, served })
    : Effect.fail(
        new ProvenanceStoreError({
          reason: new PayloadTooLarge({ sizeBytes: payload.sizeBytes, limit: payload.limit })
        })
      )

const refusalOf = (answer: Answer): Refusal =>
  answer.refusal?._tag === "NotFound" || answer.refusal?._tag === "NotEntitled" ? answer.refusal._tag : null

export const layer: Layer.Layer<IngestSession, never, ProvenanceStore | AdapterRegistry | Quota> = Layer.effect(
  IngestSession,
  make
)
