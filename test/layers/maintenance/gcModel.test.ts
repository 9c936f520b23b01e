/**
 * Archives of random calls (retried, served by others, confirming each other, young, open) and what stays of them after a gc, against the
 * rules written down once more as a closure: a response that stays keeps its call and what it confirms, a call that stays keeps
 * what it was served.
 */
import { createHash } from "node:crypto"
import { copyFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Database } from "better-sqlite3"
import { Effect, Exit, Stream } from "effect"
import * as fc from "fast-check"
import { ResponseId } from "../../../src/domain/Response.ts"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { raw, withArchive } from "../provenance/archive.ts"
import { temporaryDirectory } from "../provenance/temporary.ts"

const identities = 6

interface Call {
  readonly identity: number
  /** Attempts that failed before the last one. */
  readonly failures: number
  readonly kind: "fetched" | "confirmed" | "served" | "failed" | "open"
  readonly young: boolean
}

interface Plan {
  readonly calls: ReadonlyArray<Call>
  /** Of a hundred responses so many are pointed to by the market store. */
  readonly referenced: number
  /** The identities whose newest answer is given out while the gc begins. */
  readonly handedOut: ReadonlyArray<number>
}

const plans: fc.Arbitrary<Plan> = fc.record({
  calls: fc.array(
    fc.record({
      identity: fc.integer({ min: 1, max: identities }),
      failures: fc.integer({ min: 0, max: 2 }),
      kind: fc.constantFrom<Call["kind"]>("fetched", "confirmed", "confirmed", "served", "failed", "open"),
      young: fc.integer({ min: 0, max: 9 }).map((one) => one === 0)
    }),
    { minLength: 1, maxLength: 200 }
  ),
  referenced: fc.constantFrom(0, 5, 30),
  handedOut: fc.uniqueArray(fc.integer({ min: 1, max: identities }), { maxLength: 2 })
})

const hashOf = (identity: number) => createHash("sha256").update(`identity ${identity}`).digest()

const fill = (db: Database, { calls }: Plan): void => {
  const now = Date.now()
  const old = now - 100 * 86_400_000
  db.transaction(() => {
    const session = db.prepare(
      "insert into sessions (source, mode, started_at, ended_at, outcome, pid, process_start) values ('v', 'sync', ?, ?, 'ok', 1, '')"
    )
    const identity = db.prepare(
      "insert into identities (id, sha256, source, kind, method, params_json, body_json) values (?, ?, 'v', 'bars', 'GET', '{}', 'null')"
    )
    const payload = db.prepare("insert into payloads (sha256, size, body, encoding) values (?, ?, ?, 0)")
    const request = db.prepare(
      "insert into requests (session, identity, mode, created_at, outcome, response) values (?, ?, 'default', ?, ?, ?)"
    )
    const response = db.prepare(
      `insert into responses (request, identity, attempt, status, payload, size, asked_at, fetched_at, waited, metadata, revalidated)
       values (?, ?, ?, ?, ?, ?, ?, ?, 0, '{}', ?)`
    )
    const served = db.prepare("update requests set response = ? where id = ?")
    for (let id = 1; id <= identities; id++) identity.run(id, hashOf(id))
    const newest = new Map<number, { id: number; payload: number; size: number }>()
    for (const [index, { failures, identity, kind, young }] of calls.entries()) {
      const at = (young ? now : old) + index
      const run = session.run(at, at).lastInsertRowid
      const known = newest.get(identity)
      if (kind === "served") {
        if (known !== undefined) request.run(run, identity, at, index % 2 === 0 ? "hit" : "shared", known.id)
        continue
      }
      const call = request.run(
        run,
        identity,
        at,
        kind === "open" ? null : kind === "failed" ? "failed" : "fetched",
        null
      )
      for (let attempt = 1; attempt <= failures; attempt++) {
        response.run(call.lastInsertRowid, identity, attempt, "failed", null, 0, at, at, null)
      }
      if (kind === "failed" || kind === "open") continue
      let answer: { id: number; payload: number; size: number }
      if (kind === "confirmed" && known !== undefined) {
        const { lastInsertRowid } = response.run(
          call.lastInsertRowid,
          identity,
          failures + 1,
          "ok",
          known.payload,
          known.size,
          at,
          at,
          known.id
        )
        answer = { ...known, id: Number(lastInsertRowid) }
      } else {
        // Some answers have the same bytes.
        const body = Buffer.from(`body ${identity} ${index % 3}`)
        const hash = createHash("sha256").update(body).digest()
        const found = db.prepare<[Buffer], number>("select id from payloads where sha256 = ?").pluck().get(hash)
        const kept = found ?? Number(payload.run(hash, body.byteLength, body).lastInsertRowid)
        const { lastInsertRowid } = response.run(
          call.lastInsertRowid,
          identity,
          failures + 1,
          "ok",
          kept,
          body.byteLength,
          at,
          at,
          null
        )
        answer = { id: Number(lastInsertRowid), payload: kept, size: body.byteLength }
      }
      newest.set(identity, answer)
      served.run(answer.id, call.lastInsertRowid)
    }
  })()
}

interface Rows {
  readonly responses: ReadonlyArray<{ id: number; request: number; revalidated: number | null; fetched_at: number }>
  readonly requests: ReadonlyArray<{ id: number; response: number | null; created_at: number; outcome: string | null }>
}

const rowsOf = (db: Database): Rows => ({
  responses: db
    .prepare<[], Rows["responses"][number]>("select id, request, revalidated, fetched_at from responses")
    .all(),
  requests: db.prepare<[], Rows["requests"][number]>("select id, response, created_at, outcome from requests").all()
})

const staying = ({ requests, responses }: Rows, pointedTo: ReadonlySet<number>) => {
  const young = Date.now() - 3_600_000
  const newest = Math.max(...responses.map(({ id }) => id))
  const newestCall = Math.max(...requests.map(({ id }) => id))
  const answers = new Set<number>()
  const calls = new Set<number>()
  for (let before = -1; before !== answers.size + calls.size; ) {
    before = answers.size + calls.size
    for (const { fetched_at, id, request, revalidated } of responses) {
      if (pointedTo.has(id) || fetched_at > young || id === newest) answers.add(id)
      if (!answers.has(id)) continue
      calls.add(request)
      if (revalidated !== null) answers.add(revalidated)
    }
    for (const { created_at, id, outcome, response } of requests) {
      if (created_at > young || outcome === null || id === newestCall) calls.add(id)
      if (calls.has(id) && response !== null) answers.add(response)
    }
  }
  return { answers, calls }
}

const sorted = (ids: Iterable<number>) => [...ids].sort((a, b) => a - b)

const check = Effect.fnUntraced(function* (plan: Plan) {
  const directory = yield* temporaryDirectory
  yield* withArchive({ directory })(Effect.void)
  yield* raw(directory, (db) => fill(db, plan))
  yield* Effect.gen(function* () {
    const store = yield* ProvenanceStore
    const before = yield* raw(directory, rowsOf)
    const referenced = before.responses.map(({ id }) => id).filter((id) => (id * 7_919) % 100 < plan.referenced)
    const pointedTo = new Set(referenced)
    for (const identity of plan.handedOut) {
      const found = yield* store.lookup(hashOf(identity).toString("hex"), 0)
      if (found !== null) pointedTo.add(found.response.id)
    }
    const { answers, calls } = staying(before, pointedTo)
    yield* store.gc({
      retention: { age: 0, ages: {}, bytes: null, source: null },
      apply: true,
      referenced: Stream.fromIterable(referenced.map((id) => ResponseId.make(id)))
    })
    yield* raw(directory, (db) => {
      const after = rowsOf(db)
      assert.deepStrictEqual(sorted(after.responses.map(({ id }) => id)), sorted(answers))
      assert.deepStrictEqual(sorted(after.requests.map(({ id }) => id)), sorted(calls))
      assert.deepStrictEqual(db.pragma("foreign_key_check"), [])
      const none = (sql: string) => assert.deepStrictEqual(db.prepare(sql).all(), [])
      none("select id from payloads where id not in (select payload from responses where payload is not null)")
      none("select id from identities where id not in (select identity from requests)")
    })
    const sums = yield* raw(directory, (db) =>
      db
        .prepare(
          `select (select count(*) from sessions) as sessions, (select count(*) from requests) as requests,
            (select count(*) from requests where outcome = 'hit') as hits, (select count(*) from responses) as responses,
            (select count(*) from responses where status <> 'ok') as failedResponses, (select count(*) from payloads) as payloads`
        )
        .get()
    )
    assert.deepInclude(yield* store.stats, sums as object)
  }).pipe(withArchive({ directory }))
}, Effect.scoped)

describe("gc, against its rules", () => {
  it.live(
    "C12 what stays is what the rules say, and nothing dangles",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(plans, (plan) => Effect.runPromise(check(plan))),
          { numRuns: 40 }
        )
      ),
    180_000
  )

  it.live(
    "C12 broken off after any step, a call whose attempts lie far apart has all that it points to",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* withArchive({ directory })(Effect.void)
        const between = 2_000
        const plan = {
          calls: Array.from(
            { length: between },
            () => ({ identity: 1, failures: 0, kind: "fetched", young: false }) as const
          ),
          referenced: 0,
          handedOut: []
        }
        yield* raw(directory, (db) => {
          fill(db, plan)
          // The first attempt of the first call is its only one, until another one long after.
          db.exec(
            `insert into responses (request, identity, attempt, status, payload, size, asked_at, fetched_at, waited, metadata)
              select request, identity, 2, 'ok', payload, size, asked_at, fetched_at, 0, metadata from responses where id in (1, 2, 3);
             update responses set status = 'failed', payload = null, size = 0 where id in (1, 2, 3);
             update requests set response = ${between} + id where id in (1, 2, 3);
             insert into responses (request, identity, attempt, status, payload, size, asked_at, fetched_at, waited, metadata)
              select request, identity, 2, 'failed', null, 0, asked_at, fetched_at, 0, metadata from responses where id = 10`
          )
        })
        let brokenOff = 0
        for (let step = 1; ; step++) {
          let steps = 0
          const broken = (point: string) => {
            if (point === "upkeep" && ++steps === 1) throw new Error("broken off")
          }
          const ended = yield* ProvenanceStore.use((store) =>
            store.gc({
              retention: { age: 0, ages: {}, bytes: null, source: null },
              apply: true,
              referenced: Stream.empty
            })
          ).pipe(withArchive({ directory }), Effect.provideService(FaultPoint, broken), Effect.exit)
          yield* raw(directory, (db) => assert.deepStrictEqual(db.pragma("foreign_key_check"), [], `step ${step}`))
          if (Exit.isSuccess(ended)) break
          brokenOff++
        }
        assert.isAbove(brokenOff, 6)
        // The newest response stays, its call with what that was answered, and the newest call with its answer.
        const { requests, responses } = yield* raw(directory, rowsOf)
        assert.deepStrictEqual([requests.length, responses.length], [2, 3])
      }),
    60_000
  )

  it.live("C12 a gc leaves no log behind that the next commit would have to move", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withArchive({ directory })(Effect.void)
      const call = { identity: 1, failures: 0, kind: "fetched", young: false } as const
      const plan = { calls: Array.from({ length: 4_000 }, () => call), referenced: 0, handedOut: [] }
      yield* raw(directory, (db) => fill(db, plan))
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const { responses } = yield* store.gc({
          retention: { age: 0, ages: {}, bytes: null, source: null },
          apply: true,
          referenced: Stream.empty
        })
        assert.isAbove(responses, 3_900)
        // What the file has without its log.
        mkdirSync(join(directory, "moved"))
        copyFileSync(join(directory, "provenance.sqlite"), join(directory, "moved", "provenance.sqlite"))
        const moved = yield* raw(join(directory, "moved"), rowsOf)
        assert.isBelow(moved.responses.length, 100)
      }).pipe(withArchive({ directory }))
    })
  )
})
