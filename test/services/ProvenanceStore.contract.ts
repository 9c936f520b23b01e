/** What every archive must do, whatever it is kept in. Each test gets an empty one from `make`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type CacheMode, RequestId, type RequestIdentity, type RequestSubject } from "../../src/domain/Request.ts"
import { ResponseId, type ResponseMetadata, type ResponseStatus } from "../../src/domain/Response.ts"
import { SessionId } from "../../src/domain/Session.ts"
import { ProvenanceStore, type ReplayOptions } from "../../src/services/ProvenanceStore.ts"

const anyAge: CacheMode = { _tag: "default", ttl: null }
const bytes = (text: string) => new TextEncoder().encode(text)
const ever = -8_640_000_000_000_000

export const identity = (params: RequestIdentity["params"], more: Partial<RequestIdentity> = {}): RequestIdentity => ({
  source: "vendor",
  kind: "bars",
  method: "GET",
  params,
  body: null,
  bucket: null,
  cacheTag: null,
  ...more
})

export const metadata: ResponseMetadata = {
  contentType: "text/csv",
  encoding: "utf-8",
  transportStatus: 200,
  url: "https://vendor.example/bars?symbol=AAPL",
  elapsedMillis: 12.5,
  headers: { etag: '"1"' },
  adapter: { page: 1 }
}

const about = (series: string): RequestSubject => ({ series, range: { start: 0, end: 86_400_000 } })

/** A session with the usual calls at hand. */
const opened = Effect.gen(function* () {
  const store = yield* ProvenanceStore
  const session = yield* store.openSession({ source: "vendor", mode: "sync", asOf: null })
  const request = (of: RequestIdentity, subject: RequestSubject | null = null, cacheMode = anyAge) =>
    store.openRequest({ session, identity: of, subject, cacheMode })
  const answer = Effect.fnUntraced(function* (
    of: RequestIdentity,
    body: string | Uint8Array | null,
    more: { readonly status?: ResponseStatus; readonly subject?: RequestSubject; readonly cause?: string } = {}
  ) {
    return yield* store.append({
      request: yield* request(of, more.subject ?? null),
      attempt: 1,
      askedAt: 0,
      status: more.status ?? "ok",
      body: typeof body === "string" ? bytes(body) : body,
      metadata,
      cause: more.cause ?? null,
      waited: 0
    })
  })
  return { store, session, request, answer }
})

export const suite = (name: string, make: () => Layer.Layer<ProvenanceStore>) => {
  const test = <E>(title: string, body: Effect.Effect<void, E, ProvenanceStore>) =>
    it.effect(title, () => Effect.provide(body, make()))

  describe(`ProvenanceStore contract (${name})`, () => {
    test(
      "C1 a session has source, mode, as-of, start, end and outcome",
      Effect.gen(function* () {
        const store = yield* ProvenanceStore
        yield* TestClock.setTime(1_000)
        const id = yield* store.openSession({ source: "vendor", mode: "batch", asOf: 500 })
        const open = { id, source: "vendor", mode: "batch", asOf: 500, startedAt: 1_000 } as const
        assert.deepStrictEqual(yield* store.session(id), { ...open, endedAt: null, outcome: null, reason: null })
        yield* TestClock.setTime(3_000)
        yield* store.closeSession(id, "partial", "1 of 2 calls failed")
        const closed = { ...open, endedAt: 3_000, outcome: "partial", reason: "1 of 2 calls failed" } as const
        assert.deepStrictEqual(yield* store.session(id), closed)
        yield* store.closeSession(id, "ok", null)
        assert.deepStrictEqual(yield* store.session(id), closed, "the first end of a session stands")
      })
    )

    test(
      "C2 every call and every attempt is a row: repeats, hits and failures with their cause",
      Effect.gen(function* () {
        const { store, session, request, answer } = yield* opened
        const first = yield* answer(identity({ a: 1 }), "one")
        yield* store.recordHit({ session, identity: identity({ a: 1 }), subject: null, cacheMode: anyAge }, first.id)
        const failing = yield* request(identity({ a: 1 }))
        for (const attempt of [1, 2]) {
          yield* store.append({
            request: failing,
            attempt,
            askedAt: 0,
            status: "error",
            body: null,
            metadata,
            cause: `no answer, attempt ${attempt}`,
            waited: 250
          })
        }
        yield* store.closeRequest(failing, "failed", null, "no answer")
        const requests = yield* store.requests({ limit: 10 })
        assert.deepStrictEqual(
          requests.map(({ outcome, response, cause }) => ({ outcome, response, cause })).reverse(),
          [
            { outcome: "fetched", response: first.id, cause: null },
            { outcome: "failed", response: null, cause: "no answer" },
            { outcome: "hit", response: first.id, cause: null }
          ]
        )
        const attempts = yield* store.responses({ limit: 10, request: failing })
        assert.deepStrictEqual(
          attempts.map(({ attempt, status, sha256, waited, cause }) => ({ attempt, status, sha256, waited, cause })),
          [
            { attempt: 2, status: "error", sha256: null, waited: 250, cause: "no answer, attempt 2" },
            { attempt: 1, status: "error", sha256: null, waited: 250, cause: "no answer, attempt 1" }
          ]
        )
      })
    )

    test(
      "C3 cross-source key: the same params of another source are another request",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        yield* answer(identity({ a: 1 }), "from vendor")
        const other = yield* store.identify(identity({ a: 1 }, { source: "other" }))
        assert.isNull(yield* store.lookup(other, ever))
        const own = yield* store.identify(identity({ a: 1 }))
        assert.deepStrictEqual((yield* store.lookup(own, ever))?.payload.length, 11)
      })
    )

    test(
      "C4 a request without canonical form is refused with the place in it",
      Effect.gen(function* () {
        const { store, request } = yield* opened
        for (const refused of [
          yield* Effect.flip(store.identify(identity({ price: Number.NaN }))),
          yield* Effect.flip(request(identity({ price: Number.NaN })))
        ]) {
          assert.strictEqual(refused.reason._tag, "NotCanonical")
          assert.strictEqual(refused.message, "$.params.price: NaN has no canonical form")
        }
      })
    )

    test(
      "C5 bytes come back as they were, small and large, and are named by their sha256",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        for (const size of [0, 1, 65_535, 65_536, 65_537, 3_000_000]) {
          const body = new Uint8Array(size).fill(size % 251)
          const response = yield* answer(identity({ size }), body)
          assert.strictEqual(response.sizeBytes, size)
          assert.isNotNull(response.sha256)
          assert.deepStrictEqual(Uint8Array.from(yield* store.payload(response.sha256 ?? "")), body)
          const found = yield* store.lookup(response.identity, ever)
          assert.deepStrictEqual(found?.response, response)
          assert.deepStrictEqual(Uint8Array.from(found?.payload ?? []), body)
        }
        const damage = yield* Stream.runCollect(store.verify(() => Effect.void))
        assert.deepStrictEqual(damage, [])
      })
    )

    test(
      "C6 metadata belongs to the response, not to its bytes, is deterministic and redacted",
      Effect.gen(function* () {
        const { store, request } = yield* opened
        const append = Effect.fnUntraced(function* (of: ResponseMetadata) {
          const id = yield* request(identity({ a: 1 }))
          return yield* store.append({
            request: id,
            attempt: 1,
            askedAt: 0,
            status: "ok",
            body: bytes("same"),
            metadata: of,
            cause: null,
            waited: 0
          })
        })
        const first = yield* append({ ...metadata, headers: { b: "2", a: "1", "Set-Cookie": "session=1" } })
        const second = yield* append({
          ...metadata,
          url: "https://vendor.example/bars?symbol=AAPL&apikey=TOPSECRET",
          headers: { a: "1", Authorization: "Bearer TOPSECRET", b: "2" },
          adapter: { page: 2, nested: { token: "TOPSECRET" } }
        })
        assert.strictEqual(first.sha256, second.sha256)
        const [newer, older] = yield* store.responses({ limit: 2 })
        assert.deepStrictEqual(older?.metadata.headers, { a: "1", b: "2", "Set-Cookie": "[redacted]" })
        assert.deepStrictEqual(newer?.metadata.headers, { a: "1", b: "2", Authorization: "[redacted]" })
        assert.deepStrictEqual(newer?.metadata.adapter, { page: 2, nested: { token: "[redacted]" } })
        assert.strictEqual(newer?.metadata.url, "https://vendor.example/bars?symbol=AAPL&apikey=[redacted]")
        assert.deepStrictEqual(newer?.metadata, second.metadata, "what append returns is what is stored")
      })
    )

    test(
      "C6 metadata that has no canonical form is mended and the response is kept",
      Effect.gen(function* () {
        const { store, request } = yield* opened
        const kept = yield* store.append({
          request: yield* request(identity({ a: 1 })),
          attempt: 1,
          askedAt: 0,
          status: "ok",
          body: bytes("paid for"),
          metadata: { ...metadata, headers: { server: "\ud800" }, elapsedMillis: Number.NaN },
          cause: null,
          waited: 0
        })
        assert.deepStrictEqual(kept.metadata.headers, { server: "\ufffd" })
        assert.deepStrictEqual(yield* store.response(kept.id), kept)
      })
    )

    test(
      "C7 identical bytes are kept once, their responses stay distinct",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        const large = new Uint8Array(100_000).fill(7)
        const ids = [
          (yield* answer(identity({ a: 1 }), "same")).id,
          (yield* answer(identity({ a: 2 }), "same")).id,
          (yield* answer(identity({ a: 3 }), large)).id,
          (yield* answer(identity({ a: 4 }), large)).id
        ]
        assert.strictEqual(new Set(ids).size, 4)
        const stats = yield* store.stats
        assert.deepInclude(stats, { responses: 4, payloads: 2, payloadBytes: 100_004, dedupedBytes: 100_004 })
      })
    )

    test(
      "C8 mode, ttl, bucket, tag and fetchedAt of a cached answer are persisted",
      Effect.gen(function* () {
        const { store, session, answer } = yield* opened
        yield* TestClock.setTime(5_000)
        const partitioned = identity({ a: 1 }, { bucket: "2026-11-02", cacheTag: "trial" })
        const fetched = yield* answer(partitioned, "bytes")
        yield* TestClock.setTime(9_000)
        const cacheMode: CacheMode = { _tag: "onlyIfCached", ttl: 60_000 }
        yield* store.recordHit({ session, identity: partitioned, subject: about("v1/x"), cacheMode }, fetched.id)
        const [hit] = yield* store.requests({ limit: 1 })
        assert.deepInclude(hit, {
          identity: fetched.identity,
          cacheMode: "onlyIfCached",
          ttl: 60_000,
          bucket: "2026-11-02",
          cacheTag: "trial",
          createdAt: 9_000,
          outcome: "hit",
          response: fetched.id
        })
        assert.deepStrictEqual(hit?.subject, about("v1/x"))
        assert.strictEqual((yield* store.response(fetched.id)).fetchedAt, 5_000)
      })
    )

    test(
      "C9 the newest good response of an identity wins, and none is an orphan",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        const ask = identity({ a: 1 })
        yield* TestClock.setTime(1_000)
        yield* answer(ask, "first")
        yield* TestClock.setTime(2_000)
        const second = yield* answer(ask, "second")
        yield* answer(ask, null, { status: "error", cause: "gone" })
        yield* answer(ask, "refused", { status: "throttled", cause: "slow down" })
        const third = yield* answer(ask, "third")
        assert.strictEqual(third.fetchedAt, second.fetchedAt)
        const newest = yield* store.lookup(second.identity, ever)
        assert.strictEqual(newest?.response.id, third.id, "equal times are ordered by id")
        assert.isNull(yield* store.lookup(second.identity, 2_001))
        for (const response of yield* store.responses({ limit: 10, identity: second.identity })) {
          const request = yield* store.request(response.request)
          assert.strictEqual(request.identity, second.identity)
          assert.strictEqual((yield* store.session(request.session)).id, response.session)
        }
      })
    )

    test(
      "C9 a record that does not exist cannot be pointed at",
      Effect.gen(function* () {
        const { store, request } = yield* opened
        const open = yield* request(identity({ a: 1 }))
        const failures = [
          yield* Effect.flip(store.session(99)),
          yield* Effect.flip(store.request(99)),
          yield* Effect.flip(store.response(99)),
          yield* Effect.flip(
            store.openRequest({ session: SessionId.make(99), identity: identity({}), subject: null, cacheMode: anyAge })
          ),
          yield* Effect.flip(store.closeSession(SessionId.make(99), "ok", null)),
          yield* Effect.flip(store.closeRequest(RequestId.make(99), "failed", null, null)),
          yield* Effect.flip(
            store.append({
              request: RequestId.make(99),
              attempt: 1,
              askedAt: 0,
              status: "ok",
              body: bytes("x"),
              metadata,
              cause: null,
              waited: 0
            })
          )
        ]
        assert.deepStrictEqual(
          failures.map((failure) => failure.reason._tag),
          Array.from({ length: 7 }, () => "RecordNotFound" as const)
        )
        assert.strictEqual((yield* store.request(open)).outcome, null)
      })
    )

    test(
      "C10 responses are listed by request and by identity, newest first, in pages",
      Effect.gen(function* () {
        const { store, session, answer } = yield* opened
        const ids: Array<number> = []
        for (const body of ["a", "b", "c", "d", "e"]) ids.unshift((yield* answer(identity({ a: 1 }), body)).id)
        yield* answer(identity({ a: 2 }), "other")
        const hash = yield* store.identify(identity({ a: 1 }))
        const first = yield* store.responses({ limit: 2, identity: hash })
        const second = yield* store.responses({ limit: 10, identity: hash, before: first[1]?.id ?? 0 })
        assert.deepStrictEqual(
          [...first, ...second].map(({ id }) => id),
          ids
        )
        assert.strictEqual((yield* store.requests({ limit: 10, session })).length, 6)
        assert.strictEqual((yield* store.requests({ limit: 10, identity: hash })).length, 5)
        assert.deepStrictEqual(yield* store.responses({ limit: 10, identity: "00".repeat(32) }), [])
        assert.strictEqual((yield* store.sessions({ limit: 10 })).length, 1)
      })
    )

    test(
      "C13 an answer names its bytes: what a row points to resolves to what the vendor sent",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        const series = "v1/vendor/-/AAPL/bar/1d/trade/regular/USD/raw"
        const ok = yield* answer(identity({ a: 1 }), "rows", { subject: about(series) })
        const refused = yield* answer(identity({ a: 2 }), "no such symbol", {
          status: "not_found",
          subject: about(series)
        })
        const denied = yield* answer(identity({ a: 3 }), null, { status: "not_entitled", subject: about(series) })
        yield* answer(identity({ a: 4 }), null, { status: "error", cause: "gone", subject: about(series) })
        yield* answer(identity({ a: 5 }), "other", { subject: about("v1/another") })
        assert.deepStrictEqual(yield* store.answersOf(series, 0), [ok.id, refused.id, denied.id])
        assert.deepStrictEqual(yield* store.answersOf(series, ok.id), [refused.id, denied.id])
        assert.deepStrictEqual(yield* store.answersOf("v1/unknown", 0), [])
        const response = yield* store.response(ok.id)
        assert.strictEqual(new TextDecoder().decode(yield* store.payload(response.sha256 ?? "")), "rows")
        assert.deepStrictEqual((yield* store.request(response.request)).subject, about(series))
      })
    )

    test(
      "C17 fetchedAt never decreases, whatever the clock does",
      Effect.gen(function* () {
        const { answer } = yield* opened
        const times: Array<number> = []
        for (const time of [10_000, 4_000, 9_999, 10_001]) {
          yield* TestClock.setTime(time)
          times.push((yield* answer(identity({ time }), "x")).fetchedAt)
        }
        assert.deepStrictEqual(times, [10_000, 10_000, 10_000, 10_001])
      })
    )

    test(
      "operations of a series are all there, however many they are, and whatever a publication was made of",
      Effect.gen(function* () {
        const { store } = yield* opened
        const series = "v1/vendor/-/A/bar/1d/trade/regular/USD/raw"
        const publication = (count: number) => ({
          _tag: "Published" as const,
          at: 1,
          responses: Array.from({ length: count }, (_, index) => ResponseId.make(index * 2 + 1))
        })
        const recorded = yield* Effect.forEach(
          Array.from({ length: 4_500 }, (_, index) => index),
          (index) =>
            store.recordOperation(
              series,
              index % 1_500 === 700
                ? publication(4_001 + index)
                : index % 100 === 7
                  ? publication(index % 3)
                  : { _tag: "Confirmed", at: index }
            ),
          { concurrency: 256 }
        )
        const ordered = recorded.toSorted((a, b) => a.id - b.id)
        assert.deepStrictEqual(yield* store.operationsOf(series, 0), ordered)
        assert.deepStrictEqual(yield* store.operationsOf(series, ordered[2_199]?.id ?? 0), ordered.slice(2_200))
      })
    )

    test(
      "operations on a series are kept in order, between the responses that came before and after them",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        const series = "v1/vendor/-/A/bar/1d/trade/regular/USD/raw"
        yield* TestClock.setTime(5_000)
        const range = { start: -10, end: 20 }
        const first = yield* store.recordOperation(series, { _tag: "Invalidated", range })
        assert.deepStrictEqual({ after: first.after, recordedAt: first.recordedAt }, { after: 0, recordedAt: 5_000 })
        // A clock that goes back: nothing that comes later is recorded as earlier.
        yield* TestClock.setTime(1_000)
        const one = yield* answer(identity({ n: 1 }), "x", { subject: about(series) })
        const two = yield* answer(identity({ n: 2 }), "y", { subject: about(series) })
        assert.strictEqual(one.fetchedAt, 5_000)
        const published = { _tag: "Published", at: 4_000, responses: [one.id, two.id] } as const
        const second = yield* store.recordOperation(series, published)
        const third = yield* store.recordOperation(series, { _tag: "Forgotten" })
        const fourth = yield* store.recordOperation(series, { _tag: "Recalled" })
        yield* store.recordOperation("v1/vendor/-/B/bar/1d/trade/regular/USD/raw", { _tag: "Forgotten" })
        assert.strictEqual(second.after, two.id)
        assert.isTrue(first.id < second.id && second.id < third.id)
        assert.deepStrictEqual(yield* store.operationsOf(series, 0), [first, second, third, fourth])
        assert.deepStrictEqual(yield* store.operationsOf(series, second.id), [third, fourth])
        assert.deepStrictEqual(yield* store.operationsOf("v1/unknown", 0), [])
        assert.deepStrictEqual(yield* store.subjects, [series], "one about which nobody answered is no subject")
      })
    )

    test(
      "C10 replay: the attempts at a question in their order, also as of a time, with their bytes one at a time",
      Effect.gen(function* () {
        const { store, session, request, answer } = yield* opened
        const asked = identity({ a: 1 })
        const hash = yield* store.identify(asked)
        const answers: Array<number> = []
        for (const at of [1_000, 2_000, 3_000]) {
          yield* TestClock.setTime(at)
          answers.push(
            (yield* answer(asked, at === 2_000 ? null : `at ${at}`, { status: at === 2_000 ? "error" : "ok" })).id
          )
          yield* answer(identity({ b: at }), "another question")
        }
        yield* store.closeSession(session, "ok", null)
        const ids = (options: Omit<ReplayOptions, "of"> & { readonly of?: ReplayOptions["of"] }) =>
          store.replay({ of: { _tag: "Identity", sha256: hash }, ...options }).pipe(
            Stream.map(({ response }) => response.id),
            Stream.runCollect
          )
        assert.deepStrictEqual(yield* ids({}), answers)
        assert.deepStrictEqual(yield* ids({ of: { _tag: "Request", id: yield* request(asked) } }), answers)
        assert.deepStrictEqual(yield* ids({ asOf: 999 }), [])
        assert.deepStrictEqual(yield* ids({ asOf: 1_000 }), answers.slice(0, 1))
        assert.deepStrictEqual(yield* ids({ asOf: 2_999 }), answers.slice(0, 2))
        assert.deepStrictEqual(yield* ids({ withBytes: true }), [answers[0], answers[2]])
        assert.deepStrictEqual(yield* ids({ of: { _tag: "Identity", sha256: "ab".repeat(32) } }), [])
        const texts = yield* store.replay({ of: { _tag: "Identity", sha256: hash } }).pipe(
          Stream.mapEffect(({ bytes }) => bytes),
          Stream.map((body) => (body instanceof Uint8Array ? new TextDecoder().decode(body) : body)),
          Stream.runCollect
        )
        assert.deepStrictEqual(texts, ["at 1000", null, "at 3000"])
        for (const of of [
          { _tag: "Request", id: 4_711 },
          { _tag: "Session", id: 4_711 }
        ] as const) {
          const error = yield* Effect.flip(ids({ of }))
          assert.strictEqual(error.reason._tag, "RecordNotFound")
        }
      })
    )

    test(
      "C10 replay of a session: its calls in order, each with its attempts or with what the archive served it",
      Effect.gen(function* () {
        const { store, session, request, answer } = yield* opened
        const first = yield* answer(identity({ a: 1 }), "one")
        const later = yield* store.openSession({ source: "vendor", mode: "sync", asOf: null })
        yield* TestClock.setTime(5_000)
        const calls = (of: number, more: Omit<ReplayOptions, "of"> = {}) =>
          store.replay({ of: { _tag: "Session", id: of }, ...more }).pipe(
            Stream.map(({ call, response }): ReadonlyArray<number | undefined> => [call, response.id]),
            Stream.runCollect
          )
        yield* store.recordHit(
          { session: later, identity: identity({ a: 1 }), subject: null, cacheMode: anyAge },
          first.id
        )
        const [hit] = yield* store.requests({ limit: 1 })
        const tried = yield* store.openRequest({
          session: later,
          identity: identity({ a: 1 }),
          subject: null,
          cacheMode: { _tag: "bypass" }
        })
        const attempts: Array<number> = []
        for (const status of ["throttled", "ok"] as const) {
          const body = bytes(status)
          const attempt = attempts.length + 1
          const about = { attempt, askedAt: 0, status, body, metadata, cause: null, waited: 0 }
          attempts.push((yield* store.append({ request: tried, ...about })).id)
        }
        const unanswered = yield* request(identity({ c: 1 }))
        assert.deepStrictEqual(yield* calls(session), [[first.request, first.id]])
        assert.deepStrictEqual(yield* calls(later), [
          [hit?.id, first.id],
          [tried, attempts[0]],
          [tried, attempts[1]]
        ])
        assert.deepStrictEqual(yield* calls(later, { asOf: 4_999 }), [], "the call had not been made")
        assert.isFalse((yield* calls(session)).some(([call]) => call === unanswered))
      })
    )

    test(
      "C10 a replay of more than one page leaves out and repeats nothing, while the archive grows",
      Effect.gen(function* () {
        const { store, session, answer } = yield* opened
        const made = yield* Effect.forEach(Array.from({ length: 450 }), (_, index) =>
          answer(identity({ of: index % 2 }), `body ${index}`)
        )
        let grown = 0
        const seen = yield* store.replay({ of: { _tag: "Session", id: session } }).pipe(
          Stream.tap(() => (++grown <= 3 ? answer(identity({ grown }), "grown") : Effect.void)),
          Stream.map(({ response }) => response.id),
          Stream.runCollect
        )
        assert.deepStrictEqual(
          seen.slice(0, 450),
          made.map(({ id }) => id)
        )
        assert.strictEqual(new Set(seen).size, seen.length)
        const even = yield* Stream.runCollect(
          store.replay({ of: { _tag: "Identity", sha256: made[0]?.identity ?? "" } })
        )
        assert.deepStrictEqual(
          even.map(({ response }) => response.id),
          made.filter((_, index) => index % 2 === 0).map(({ id }) => id)
        )
      })
    )

    test(
      "the sizes of answers are of the newest about the series, or of its kin where it has none",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        const of = (symbol: string, timeframe = "1m") => `v1/vendor/-/${symbol}/bar/${timeframe}/trade/regular/USD/raw`
        const text = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7919) >>> 3)
        assert.deepStrictEqual(yield* store.answerSizes(of("A")), [])
        yield* answer(identity({ day: 1 }), text(300), { subject: about(of("A")) })
        yield* answer(identity({ failed: 1 }), text(400), { subject: about(of("A")), status: "error" })
        yield* answer(identity({ none: 1 }), null, { subject: about(of("A")) })
        yield* answer(identity({ other: 1 }), text(500), { subject: about(of("B", "1d")) })
        const sizes = yield* store.answerSizes(of("A"))
        assert.deepStrictEqual(
          sizes.map(({ range, storedBytes }) => ({ range, storedBytes })),
          [{ range: about("").range, storedBytes: 300 }]
        )
        assert.deepStrictEqual(yield* store.answerSizes(of("NEW")), sizes, "one of its vendor and timeframe")
        assert.deepStrictEqual(yield* store.answerSizes(of("NEW", "1h")), [])
        for (let day = 0; day < 30; day++) {
          yield* answer(identity({ more: day }), `{"day":${day}}`, { subject: about(of("A")) })
        }
        const newest = yield* store.answerSizes(of("A"))
        assert.strictEqual(newest.length, 20)
        assert.isTrue(newest.every(({ storedBytes }) => storedBytes < 20))
      })
    )

    test(
      "concurrent writes are all acknowledged, in ids that grow",
      Effect.gen(function* () {
        const { store, answer } = yield* opened
        const responses = yield* Effect.forEach(
          Array.from({ length: 200 }, (_, index) => index),
          (index) =>
            answer(identity({ index }), index % 20 === 0 ? new Uint8Array(70_000).fill(index) : `body ${index}`),
          { concurrency: 32 }
        )
        assert.strictEqual(new Set(responses.map(({ id }) => id)).size, 200)
        assert.strictEqual((yield* store.stats).responses, 200)
        for (const response of responses) assert.deepStrictEqual(yield* store.response(response.id), response)
      })
    )

    test(
      "hits are listed as soon as they are recorded, and a flood of them is kept",
      Effect.gen(function* () {
        const { store, session, answer } = yield* opened
        const response = yield* answer(identity({ a: 1 }), "x")
        const record = store.recordHit(
          { session, identity: identity({ a: 1 }), subject: null, cacheMode: anyAge },
          response.id
        )
        const flood = yield* Effect.forEach(Array.from({ length: 3_000 }), () => record, {
          concurrency: 50,
          discard: true
        }).pipe(Effect.forkChild)
        yield* Fiber.join(flood)
        assert.strictEqual((yield* store.stats).hits, 3_000)
      })
    )
  })
}
