import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { RequestId } from "../../../src/domain/Request.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { identity } from "../../services/ProvenanceStore.contract.ts"
import { archive, raw, withArchive } from "./archive.ts"
import { temporaryDirectory } from "./temporary.ts"

/** A process id that no process has: the largest that Linux and macOS give out is far below it. */
const goneProcess = 2_000_000_000

/** Leaves a session and a call open, then makes them those of process `pid` that started at `start`. */
const leftOpen = Effect.fnUntraced(function* (directory: string, pid: number, start: string | null) {
  yield* Effect.gen(function* () {
    const store = yield* ProvenanceStore
    const session = yield* store.openSession({ source: "vendor", mode: "sync", asOf: null })
    yield* store.openRequest({ session, identity: identity({}), subject: null, cacheMode: { _tag: "bypass" } })
    yield* archive({ done: true }, new Uint8Array(10))
  }).pipe(withArchive({ directory }))
  yield* raw(directory, (db) => {
    db.prepare("update sessions set outcome = null, reason = null, ended_at = null, pid = ?").run(pid)
    if (start !== null) db.prepare("update sessions set process_start = ?").run(start)
    db.prepare("update requests set outcome = null, cause = null where response is null").run()
  })
})

const ends = Effect.gen(function* () {
  const store = yield* ProvenanceStore
  const sessions = yield* store.sessions({ limit: 10 })
  const requests = yield* store.requests({ limit: 10 })
  return {
    sessions: sessions.map(({ outcome, reason, endedAt }) => ({ outcome, reason, endedAt })),
    requests: requests.map(({ outcome, cause }) => ({ outcome, cause }))
  }
})

describe("recovery at the start", () => {
  it.effect("sessions and open calls of a process that is gone become cancelled, with the reason", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* leftOpen(directory, goneProcess, null)
      yield* TestClock.setTime(7_000)
      const found = yield* ends.pipe(withArchive({ directory }))
      const reason = `process ${goneProcess} ended without closing the session`
      const session = { outcome: "cancelled", reason, endedAt: 7_000 } as const
      assert.deepStrictEqual(found.sessions, [session, session])
      assert.deepStrictEqual(found.requests, [
        { outcome: "fetched", cause: null },
        { outcome: "cancelled", cause: reason }
      ])
    })
  )

  it.effect("a successor that was given the same process id is not taken for the owner", (ctx) =>
    Effect.gen(function* () {
      if (!existsSync("/proc/self/stat")) return ctx.skip("no /proc here: start times of processes are not known")
      const directory = yield* temporaryDirectory
      yield* leftOpen(directory, process.pid, "1@another-boot")
      const found = yield* ends.pipe(withArchive({ directory }))
      assert.deepStrictEqual(
        found.sessions.map(({ outcome }) => outcome),
        ["cancelled", "cancelled"]
      )
    })
  )

  it.effect("sessions of a live process are left alone by a second one that opens the directory", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* leftOpen(directory, process.ppid, "")
      const found = yield* ends.pipe(withArchive({ directory }))
      assert.deepStrictEqual(
        found.sessions.map(({ outcome }) => outcome),
        [null, null]
      )
      assert.deepStrictEqual(
        found.requests.map(({ outcome }) => outcome),
        ["fetched", null]
      )
    })
  )

  it.effect("temporary files of processes that are gone are removed, those of live ones and payloads stay", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* leftOpen(directory, goneProcess, null)
      const shard = join(directory, "responses", "ab")
      const sha256 = "ab".repeat(32)
      const file = (name: string) => join(shard, name)
      const left = file(`${sha256}.${goneProcess}.0123456789ab.01234567.tmp`)
      const sameId = file(`${sha256}.${process.pid}.0123456789ab.01234567.tmp`)
      const live = file(`${sha256}.${process.ppid}.0123456789ab.01234567.tmp`)
      const payload = file(`${sha256}.bin`)
      mkdirSync(dirname(left), { recursive: true })
      for (const path of [left, sameId, live, payload]) writeFileSync(path, "half")
      yield* Effect.void.pipe(withArchive({ directory }))
      assert.deepStrictEqual(
        [left, sameId, live, payload].map((path) => existsSync(path)),
        [false, false, true, true]
      )
    })
  )

  it.effect("closing the archive cancels what it still has open, and nothing is lost from its buffers", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const response = yield* archive({ a: 1 }, new Uint8Array(10))
        const request = { session: (yield* store.session(1)).id, identity: identity({ a: 1 }), subject: null }
        yield* store.openRequest({ ...request, cacheMode: { _tag: "bypass" } })
        yield* store.recordHit({ ...request, cacheMode: { _tag: "default", ttl: null } }, response.id)
      }).pipe(withArchive({ directory }))
      const found = yield* ends.pipe(withArchive({ directory }))
      assert.deepStrictEqual(found.sessions, [
        { outcome: "cancelled", reason: "the archive was closed before the session", endedAt: 0 }
      ])
      assert.deepStrictEqual(found.requests.map(({ outcome }) => outcome).sort(), ["cancelled", "fetched", "hit"])
    })
  )

  it.effect("hits are in the database a second later, or at once when many have gathered", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const response = yield* archive({ a: 1 }, new Uint8Array(10))
        const hit = store.recordHit(
          {
            session: (yield* store.session(1)).id,
            identity: identity({ a: 1 }),
            subject: null,
            cacheMode: { _tag: "default", ttl: null }
          },
          response.id
        )
        const written = raw(directory, (db) =>
          db.prepare("select count(*) from requests where outcome = 'hit'").pluck().get()
        )
        yield* hit
        yield* TestClock.adjust("999 millis")
        assert.strictEqual(yield* written, 0)
        yield* TestClock.adjust("1 millis")
        yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })
        assert.strictEqual(yield* written, 1)
        yield* Effect.forEach(Array.from({ length: 256 }), () => hit, { discard: true })
        assert.strictEqual(yield* written, 257)
      }).pipe(withArchive({ directory }))
    })
  )

  it.effect("C17 fetchedAt does not fall behind the archive after a restart with a clock that went back", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* TestClock.setTime(50_000)
      yield* archive({ a: 1 }, new Uint8Array(1)).pipe(withArchive({ directory }))
      yield* TestClock.setTime(1_000)
      const later = yield* archive({ a: 2 }, new Uint8Array(1)).pipe(withArchive({ directory }))
      assert.strictEqual(later.fetchedAt, 50_000)
    })
  )

  it.effect("ids of responses are never used twice, also when the newest is deleted", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const first = yield* archive({ a: 1 }, new Uint8Array(1)).pipe(withArchive({ directory }))
      yield* raw(directory, (db) => {
        db.prepare("update requests set response = null").run()
        db.prepare("delete from responses").run()
      })
      const second = yield* archive({ a: 1 }, new Uint8Array(1)).pipe(withArchive({ directory }))
      assert.isAbove(second.id, first.id)
      const request = yield* ProvenanceStore.use((store) => store.request(RequestId.make(1))).pipe(
        withArchive({ directory })
      )
      assert.isNull(request.response)
    })
  )
})
