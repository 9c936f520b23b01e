/** A gc over a data directory with a history: what it removes, and that nothing that is read differs afterwards. */
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Database } from "better-sqlite3"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Maintenance } from "../../../src/services/Maintenance.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore, type Retention } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { between, layer, seriesOf, utc, World } from "../../rpc/handlers/world.ts"
import { noise, raw } from "../provenance/archive.ts"

const everything: Retention = { age: 0, ages: {}, bytes: null, source: null }
const symbols = ["ALPHA", "BETA"]
const march = between("2024-03-04", "2024-03-08")

/** Fetches, corrections, refetches that change nothing, hits, and a series that is forgotten. */
const history = Effect.gen(function* () {
  yield* TestClock.setTime(utc("2024-03-20"))
  const cache = yield* StitchingCache
  const { correct } = yield* World
  for (const symbol of symbols) {
    const series = seriesOf(symbol, "1h")
    yield* cache.read({ series, range: march })
    yield* TestClock.adjust("1 day")
    for (let again = 0; again < 3; again++) {
      yield* cache.read({ series, range: march, policy: "force" })
      yield* TestClock.adjust("1 day")
    }
    correct(between("2024-03-05", "2024-03-06"), yield* Effect.clockWith((clock) => clock.currentTimeMillis))
    yield* TestClock.adjust("1 day")
    yield* cache.read({ series, range: march, policy: "force" })
    yield* cache.refetch(series)
    yield* TestClock.adjust("1 day")
    yield* cache.invalidate(series, between("2024-03-06", "2024-03-07"))
  }
  for (const timeframe of ["15m", "30m", "1h"] as const) {
    const gone = seriesOf("GAMMA", timeframe)
    yield* cache.read({ series: gone, range: march })
    yield* cache.forget(gone)
    yield* TestClock.adjust("2 days")
  }
})

/** All that a reader can see, at several instants, and the proof of every row. */
const seen = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const market = yield* MarketStore
  const archive = yield* ProvenanceStore
  const all: Array<unknown> = []
  for (const symbol of symbols) {
    const series = seriesOf(symbol, "1h")
    for (const asOf of [undefined, utc("2024-03-22T12:00Z"), utc("2024-03-25T12:00Z")]) {
      const options = asOf === undefined ? {} : { asOf }
      const bars = yield* Stream.runCollect(market.bars(series, march, options))
      all.push(bars)
      all.push(yield* market.coverage(series, march, options))
      for (const { ts } of bars) {
        const { excerpt, lineage, response } = yield* cache.explain(series, ts, options)
        all.push([excerpt, lineage, yield* archive.payload(response.sha256 ?? "")])
      }
    }
    const revisions = yield* Stream.runCollect(market.revisions(series, march))
    for (const revision of revisions) all.push(revision)
  }
  return all
})

const inOrder = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const { dataDir } = yield* World
  assert.deepStrictEqual(yield* Stream.runCollect(archive.verify(() => Effect.void)), [])
  yield* raw(dataDir, (db) => {
    assert.deepStrictEqual(db.pragma("foreign_key_check"), [])
    assert.strictEqual(db.pragma("integrity_check", { simple: true }), "ok")
    const count = (table: string) => db.prepare(`select count(*) from ${table}`).pluck().get()
    assert.strictEqual(count("discarded_files"), 0)
    return count("responses")
  })
  const counted = yield* raw(dataDir, (db) =>
    db
      .prepare(
        `select (select count(*) from sessions) as sessions, (select count(*) from requests) as requests,
          (select count(*) from responses) as responses, (select count(*) from payloads) as payloads,
          (select sum(size) from payloads) as payloadBytes`
      )
      .get()
  )
  const { payloadBytes, payloads, requests, responses, sessions } = yield* archive.stats
  assert.deepStrictEqual({ sessions, requests, responses, payloads, payloadBytes }, counted)
})

const test = (name: string, body: Effect.Effect<void, unknown, Layer>) =>
  it.effect(name, () => body.pipe(Effect.provide(layer())), 60_000)

type Layer = World | StitchingCache | MarketStore | ProvenanceStore | Maintenance

describe("gc", () => {
  test(
    "C12 a dry run says what would go and changes nothing; applied, that goes, and everything that is read is the same",
    Effect.gen(function* () {
      yield* history
      const archive = yield* ProvenanceStore
      const maintenance = yield* Maintenance
      const before = yield* archive.stats
      const was = yield* seen
      const dry = yield* maintenance.gc({ retention: everything, apply: false })
      assert.isFalse(dry.applied)
      assert.isAbove(dry.responses, 4, "refetches that changed nothing, and the forgotten series")
      assert.isAbove(dry.keptByReference, 3)
      assert.deepStrictEqual(yield* archive.stats, before)
      const done = yield* maintenance.gc({ retention: everything, apply: true })
      assert.deepStrictEqual({ ...done, applied: false }, dry)
      const after = yield* archive.stats
      assert.strictEqual(after.responses, before.responses - done.responses)
      assert.strictEqual(after.requests, before.requests - done.requests)
      assert.strictEqual(after.payloads, before.payloads - done.payloads)
      yield* inOrder
      assert.deepStrictEqual(yield* seen, was)
      const again = yield* maintenance.gc({ retention: everything, apply: true })
      assert.deepInclude(again, { responses: 0, requests: 0, payloads: 0, orphanFiles: 0 })
    })
  )

  test(
    "C12 a chain of confirmations is kept, or goes, however long it is",
    Effect.gen(function* () {
      yield* history
      const { dataDir } = yield* World
      const maintenance = yield* Maintenance
      const count = 20_000
      const confirmed = (db: Database) => {
        const [first] = db.prepare("select max(id) from responses").pluck().all()
        db.prepare(
          `insert into responses (request, identity, series, attempt, status, payload, size, asked_at, fetched_at, waited, metadata, revalidated)
           with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
           select request, identity, series, attempt, status, payload, size, asked_at, fetched_at, 0, metadata, ? + i - 1
           from responses, n where responses.id = ?`
        ).run(count, first, first)
        return Number(first)
      }
      const first = yield* raw(dataDir, confirmed)
      const left = raw(dataDir, (db) =>
        Number(db.prepare("select count(*) from responses where id >= ?").pluck().get(first))
      )
      // The newest response stays, and with it what it confirms.
      yield* maintenance.gc({ retention: everything, apply: true })
      assert.strictEqual(yield* left, count + 1)
      yield* inOrder
      // Once something newer is there, a call that stays keeps what it was served.
      yield* TestClock.adjust("1 day")
      const cache = yield* StitchingCache
      yield* cache.read({ series: seriesOf("GAMMA", "2h"), range: march })
      yield* raw(dataDir, (db) =>
        db.prepare("update requests set response = ? where id = (select max(id) from requests)").run(first + count)
      )
      yield* maintenance.gc({ retention: everything, apply: true })
      assert.strictEqual(yield* left, count + 2)
    })
  )

  test(
    "C12 ids are never used again, the newest answer stays, and what comes next is archived and read as ever",
    Effect.gen(function* () {
      yield* history
      const archive = yield* ProvenanceStore
      const maintenance = yield* Maintenance
      const [newest] = yield* archive.responses({ limit: 1 })
      const [newestCall] = yield* archive.requests({ limit: 1 })
      yield* maintenance.gc({ retention: everything, apply: true })
      const cache = yield* StitchingCache
      yield* cache.read({ series: seriesOf("GAMMA", "2h"), range: march })
      const [response] = yield* archive.responses({ limit: 1 })
      const [call] = yield* archive.requests({ limit: 1 })
      assert.isAbove(Number(response?.id), Number(newest?.id))
      assert.isAbove(Number(call?.id), Number(newestCall?.id))
      assert.isAtLeast(Number(response?.fetchedAt), Number(newest?.fetchedAt))
      yield* inOrder
    })
  )

  test(
    "C12 nothing younger than an hour, of another source, or within the size goes",
    Effect.gen(function* () {
      yield* history
      const maintenance = yield* Maintenance
      const archive = yield* ProvenanceStore
      const would = (retention: Partial<Retention>) =>
        maintenance.gc({ retention: { ...everything, ...retention }, apply: false })
      assert.deepInclude(yield* would({ source: "another" }), { responses: 0, requests: 0, sessions: 0 })
      assert.deepInclude(yield* would({ age: null }), { responses: 0, requests: 0 })
      assert.deepInclude(yield* would({ ages: { model: 365 * 86_400_000 } }), { responses: 0, requests: 0 })
      const { storedBytes } = yield* archive.stats
      assert.deepInclude(yield* would({ age: null, bytes: storedBytes }), { responses: 0 })
      const all = yield* would({})
      const half = yield* would({ age: null, bytes: storedBytes - Math.floor(all.payloadBytes / 2) })
      assert.isAbove(half.responses, 0)
      assert.isBelow(half.responses, all.responses)
      yield* (yield* StitchingCache).read({ series: seriesOf("GAMMA", "5m"), range: march })
      yield* (yield* StitchingCache).forget(seriesOf("GAMMA", "5m"))
      const later = yield* would({})
      assert.strictEqual(later.responses, all.responses + 1, "what was the newest goes now, and the young one stays")
    })
  )

  test(
    "C12 files without a record are removed, and bytes that come while it runs are whole",
    Effect.gen(function* () {
      yield* history
      const maintenance = yield* Maintenance
      const archive = yield* ProvenanceStore
      const { dataDir } = yield* World
      const session = yield* archive.openSession({ source: "model", mode: "sync", asOf: null })
      const appended = (seed: number) =>
        Effect.gen(function* () {
          const identity = {
            source: "model",
            kind: "blob",
            method: "GET" as const,
            params: { seed },
            body: null,
            bucket: null,
            cacheTag: null
          }
          const request = yield* archive.openRequest({
            session,
            identity,
            subject: null,
            cacheMode: { _tag: "bypass" }
          })
          const metadata = {
            contentType: null,
            encoding: null,
            transportStatus: 200,
            url: null,
            elapsedMillis: 1,
            headers: {},
            adapter: {}
          }
          return yield* archive.append({
            request,
            attempt: 1,
            askedAt: 0,
            status: "ok",
            body: noise(80_000, seed),
            metadata,
            cause: null,
            waited: 0
          })
        })
      const first = yield* appended(1)
      yield* archive.closeSession(session, "ok", null)
      mkdirSync(join(dataDir, "responses", "00"), { recursive: true })
      const orphan = join(dataDir, "responses", "00", `${"0".repeat(64)}.bin`)
      writeFileSync(orphan, "left by a killed process")
      utimesSync(orphan, 0, 0)
      yield* TestClock.adjust("2 hours")
      yield* appended(2)
      yield* TestClock.adjust("2 hours")
      // The bytes of `first` go away and come again at the same time, over and over.
      for (let round = 0; round < 10; round++) {
        const running = yield* Effect.forkChild(maintenance.gc({ retention: everything, apply: true }))
        const again = yield* appended(1)
        assert.strictEqual(again.sha256, first.sha256)
        const report = yield* Fiber.join(running)
        if (round === 0) assert.strictEqual(report.orphanFiles, 1)
        assert.isFalse(existsSync(orphan))
        assert.deepStrictEqual(Uint8Array.from(yield* archive.payload(first.sha256 ?? "")), noise(80_000, 1))
        yield* TestClock.adjust("2 hours")
      }
      yield* inOrder
      const files = readdirSync(join(dataDir, "responses"), { recursive: true, encoding: "utf8" })
      assert.isBelow(files.filter((name) => name.includes(".")).length, 4)
    })
  )
})
