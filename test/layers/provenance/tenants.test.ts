/** Two tenants of one archive, method by method: a method without a row here fails. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Result, Stream } from "effect"
import type { TenantName } from "../../../src/domain/Tenant.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { identity, metadata } from "../../services/ProvenanceStore.contract.ts"
import { acme, bolt } from "../../support/tenants.ts"
import { noise, raw } from "./archive.ts"
import { platform, temporaryDirectory } from "./temporary.ts"

type Store = ProvenanceStore["Service"]

const archiveOf = (directory: string, tenant: TenantName) =>
  Effect.map(
    Layer.build(Layer.fresh(ProvenanceStoreSqlite.layer({ directory, tenant }).pipe(Layer.provide(platform)))),
    Context.get(ProvenanceStore)
  )

const both = Effect.gen(function* () {
  const directory = yield* temporaryDirectory
  return { directory, a: yield* archiveOf(directory, acme.name), b: yield* archiveOf(directory, bolt.name) }
})

const subject = { series: "v1/vendor/-/SPX/bar/1d/trade/all/-/raw", range: { start: 0, end: 86_400_000 } }
const cacheMode = { _tag: "default", ttl: null } as const
const shared = noise(200_000)
const page = { limit: 100 }

/** A call with an answer, a hit and an operation; the bytes are those of everybody who asks. */
const fill = Effect.fnUntraced(function* (store: Store) {
  const session = yield* store.openSession({ source: "vendor", mode: "sync", asOf: null })
  const call = { session, identity: identity({ symbol: "SPX" }), subject, cacheMode }
  const request = yield* store.openRequest(call)
  const response = yield* store.append({
    request,
    attempt: 1,
    askedAt: 0,
    status: "ok",
    body: shared,
    metadata,
    cause: null,
    waited: 0
  })
  yield* store.recordHit(call, response.id)
  yield* store.recordOperation(subject.series, { _tag: "Confirmed", at: 5 })
  return { session, request, response: response.id, sha256: response.sha256 ?? "" }
})

type Known = Effect.Success<ReturnType<typeof fill>>

/** What shows something to whom it belongs. */
const reads: Readonly<Record<string, (store: Store, known: Known) => Effect.Effect<unknown, unknown>>> = {
  lookup: (store) => Effect.flatMap(store.identify(identity({ symbol: "SPX" })), (hash) => store.lookup(hash, -1)),
  newest: (store) => Effect.flatMap(store.identify(identity({ symbol: "SPX" })), (hash) => store.newest(hash)),
  payload: (store, { sha256 }) => store.payload(sha256),
  open: (store, { sha256 }) => store.open(sha256),
  session: (store, { session }) => store.session(session),
  request: (store, { request }) => store.request(request),
  response: (store, { response }) => store.response(response),
  sessions: (store) => store.sessions(page),
  requests: (store) => store.requests(page),
  responses: (store) => store.responses(page),
  replay: (store, { request }) => Stream.runCollect(store.replay({ of: { _tag: "Request", id: request } })),
  answersOf: (store) => store.answersOf(subject.series, 0),
  operationsOf: (store) => store.operationsOf(subject.series, 0),
  answerSizes: (store) => store.answerSizes(subject.series),
  subjects: (store) => store.subjects
}

const nobody: Known = {
  session: 900 as Known["session"],
  request: 900 as Known["request"],
  response: 900 as Known["response"],
  sha256: "0".repeat(64)
}

/** What changes something, given what belongs to the other. */
const writes: Readonly<Record<string, (store: Store, known: Known) => Effect.Effect<unknown, unknown>>> = {
  openSession: (store) => store.openSession({ source: "vendor", mode: "sync", asOf: null }),
  closeSession: (store, { session }) => store.closeSession(session, "failed", "theirs"),
  openRequest: (store, { session }) =>
    store.openRequest({ session, identity: identity({ symbol: "SPX" }), subject, cacheMode }),
  closeRequest: (store, { request }) => store.closeRequest(request, "failed", null, "theirs"),
  recordHit: (store, { response, session }) =>
    store.recordHit({ session, identity: identity({ symbol: "SPX" }), subject, cacheMode }, response),
  append: (store, { request }) =>
    store.append({ request, attempt: 2, askedAt: 0, status: "ok", body: shared, metadata, cause: null, waited: 0 }),
  recordOperation: (store) => store.recordOperation(subject.series, { _tag: "Forgotten" }),
  gc: (store) =>
    store.gc({
      retention: { age: 0, ages: {}, bytes: null, source: null },
      apply: true,
      referenced: Stream.empty
    }),
  compact: (store) => store.compact()
}

/** Of the archive, and of nobody in it: a hash of what is asked, a place to write to, sums and checks of all bytes. */
const ofNobody = ["identify", "draft", "verify", "stats"]

/** Of everybody: that a call was made, which may be made once. */
const ofEverybody = ["everybodys"]

const seen = Effect.fnUntraced(function* (store: Store, known: Known) {
  const told: Array<string> = []
  for (const [name, read] of Object.entries(reads)) {
    const result = yield* Effect.result(read(store, known))
    told.push(`${name}: ${Result.isSuccess(result) ? JSON.stringify(result.success) : "refused"}`)
  }
  return told
})

describe("two tenants of one archive", () => {
  it.live("every method has a row, and what one has archived the other does not find, by number, series or hash", () =>
    Effect.gen(function* () {
      const { a, b } = yield* both
      const methods = [...Object.keys(reads), ...Object.keys(writes), ...ofNobody, ...ofEverybody].sort()
      assert.deepStrictEqual(Object.keys(a).sort(), methods)
      const empty = yield* seen(b, nobody)
      const known = yield* fill(a)
      assert.deepStrictEqual(yield* seen(b, known), empty)
      for (const [at, line] of (yield* seen(a, known)).entries()) {
        assert.notStrictEqual(line, empty[at])
        assert.notInclude(line, "refused")
      }
    })
  )

  it.live("that one has made a call the other is told, and nothing else of it", () =>
    Effect.gen(function* () {
      const { a, b } = yield* both
      const { request, response } = yield* fill(a)
      yield* a.closeRequest(request, "fetched", response, null)
      const hash = yield* a.identify(identity({ symbol: "SPX" }))
      const own = yield* a.everybodys(hash)
      assert.deepInclude(own, { id: request, own: true, response })
      assert.deepStrictEqual(
        yield* b.everybodys(hash),
        own.map(({ id }) => ({ id, own: false, response: null }))
      )
    })
  )

  it.live("no write of one, with whatever numbers of the other, changes what the other has", () =>
    Effect.gen(function* () {
      const { a, b } = yield* both
      const ofA = yield* fill(a)
      const ofB = yield* fill(b)
      const before = yield* seen(a, ofA)
      for (const [name, write] of Object.entries(writes)) {
        yield* Effect.exit(write(b, ofA))
        assert.deepStrictEqual(yield* seen(a, ofA), before, `${name} with foreign numbers`)
        yield* Effect.exit(write(b, ofB))
        assert.deepStrictEqual(yield* seen(a, ofA), before, name)
      }
    })
  )

  it.live("bytes are kept once, and stay as long as anybody has them", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      // A gc leaves alone what this process has just handed out, so those who fill are not those who look.
      const [ofA, ofB] = yield* Effect.scoped(
        Effect.forEach([acme, bolt], ({ name }) => Effect.flatMap(archiveOf(directory, name), fill))
      )
      if (ofA === undefined || ofB === undefined) return
      // The newest of a tenant always stays.
      yield* Effect.scoped(
        Effect.flatMap(archiveOf(directory, acme.name), (store) =>
          Effect.gen(function* () {
            const session = yield* store.openSession({ source: "vendor", mode: "sync", asOf: null })
            const call = { session, identity: identity({ symbol: "LATER" }), subject: null, cacheMode }
            const request = yield* store.openRequest(call)
            const body = noise(100, 7)
            yield* store.append({
              request,
              attempt: 1,
              askedAt: 0,
              status: "ok",
              body,
              metadata,
              cause: null,
              waited: 0
            })
          })
        )
      )
      assert.strictEqual(ofA.sha256, ofB.sha256)
      const counted = (sql: string) => raw(directory, (db) => db.prepare(sql).pluck().get())
      assert.strictEqual(yield* counted("select count(*) from payloads"), 2)
      assert.strictEqual(yield* counted("select count(distinct tenant) from responses"), 2)
      yield* raw(directory, (db) => {
        // Nothing that is an hour young is taken away.
        db.exec(`update responses set fetched_at = 1 where tenant = '${acme.name}'`)
        db.exec(
          `update requests set created_at = 1, outcome = coalesce(outcome, 'failed') where tenant = '${acme.name}'`
        )
        db.exec(`update sessions set ended_at = 1, outcome = 'ok' where tenant = '${acme.name}'`)
        db.exec("delete from operations")
      })
      const a = yield* archiveOf(directory, acme.name)
      const b = yield* archiveOf(directory, bolt.name)
      const gone = yield* a.gc({
        retention: { age: 1, ages: {}, bytes: null, source: null },
        apply: true,
        referenced: Stream.empty
      })
      assert.strictEqual(gone.responses, 1, JSON.stringify(gone))
      assert.strictEqual(gone.payloads, 0)
      assert.strictEqual((yield* a.responses(page)).length, 1)
      assert.deepStrictEqual(yield* b.payload(ofB.sha256), shared)
      assert.isTrue(Result.isFailure(yield* Effect.result(a.payload(ofA.sha256))))
      assert.strictEqual(yield* counted("select count(*) from payloads"), 2)
    })
  )
})
