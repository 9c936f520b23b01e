/**
 * How much a gc and a compaction of a large archive do in one turn of the event loop. Everything in it is many times as long as what a
 * turn may take: chains of confirmations, the operations of a series, what a publication names. How many milliseconds that holds the
 * loop for is printed by bench/archive-million.ts.
 */
import { createHash, randomBytes } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { ResponseId } from "../../../src/domain/Response.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { raw, withArchive } from "../provenance/archive.ts"
import { temporaryDirectory } from "../provenance/temporary.ts"
import { counted, type Turns } from "./turns.ts"

/**
 * Rows, each statement counted as one more: twice the largest step, since two may come into one turn. Whatever is read or removed at once
 * would be more than 12,000.
 */
const bound = 10_000
const answers = 12_000
const confirmations = 12_000
const other = "v1/v/-/B/bar/1h/trade/all/-/raw"
const series = "v1/v/-/A/bar/1h/trade/all/-/raw"

/** What an older release would have left: answers of 100 days ago, their bytes as they came. */
const filled = Effect.fnUntraced(function* (directory: string) {
  yield* withArchive({ directory })(Effect.void)
  yield* raw(directory, (db) => {
    const at = Date.now() - 100 * 86_400_000
    const line = `2024-03-04T10:00:00Z,101.25,101.5,99.5,100,1200\n`
    db.transaction(() => {
      db.exec(
        `insert into sessions (id, source, mode, started_at, ended_at, outcome, pid, process_start) values (1, 'v', 'sync', ${at}, ${at}, 'ok', 1, '');
         insert into series (id, key) values (1, '${series}')`
      )
      const identity = db.prepare(
        "insert into identities (id, sha256, source, kind, method, params_json, body_json) values (?, ?, 'v', 'bars', 'GET', '{}', 'null')"
      )
      const payload = db.prepare("insert into payloads (id, sha256, size, body) values (?, ?, ?, ?)")
      const request = db.prepare(
        "insert into requests (id, session, identity, mode, created_at, outcome) values (?, 1, ?, 'default', ?, 'fetched')"
      )
      const response = db.prepare(
        `insert into responses (id, request, identity, series, attempt, status, payload, size, asked_at, fetched_at, waited, metadata, revalidated)
         values (?, ?, ?, 1, 1, 'ok', ?, ?, ?, ?, 0, '{}', ?)`
      )
      const operation = db.prepare(
        "insert into operations (series, kind, known_at, after, recorded_at) values (1, ?, 1, 1, 1)"
      )
      const member = db.prepare("insert into operation_responses (operation, response) values (?, ?)")
      for (let id = 1; id <= answers; id++) {
        const body = Buffer.from(`${id}\n${line.repeat(40)}`)
        identity.run(id, randomBytes(32))
        payload.run(id, createHash("sha256").update(body).digest(), body.byteLength, body)
        request.run(id, id, at + id)
        response.run(id, id, id, id, body.byteLength, at + id, at + id, null)
        operation.run("Confirmed")
      }
      const published = operation.run("Published").lastInsertRowid
      for (let id = 1; id <= answers; id++) member.run(published, id)
      for (let id = answers + 1; id <= answers + confirmations; id++) {
        request.run(id, answers, at + id)
        response.run(id, id, answers, answers, 0, at + id, at + id, id - 1)
      }
      db.exec("update requests set response = id")
      // A hit of a moment ago: what it was served confirms all of the chain.
      const hit = request.run(answers + confirmations + 1, answers, Date.now()).lastInsertRowid
      db.prepare("update requests set outcome = 'hit', response = ? where id = ?").run(answers + confirmations - 1, hit)
    })()
  })
})

/** Tables that may be walked over: sessions are counted, and there are a thousand times more calls. */
const short = /^SCAN (sessions|discarded_files|tallies|pragma_\w+)\b|order by id desc limit 1$/

const within = (what: string, { most, scans, statements, texts }: Turns): void => {
  console.log(`${what}: at most ${most} rows in a turn`)
  assert.deepStrictEqual(
    scans.filter((scan) => !short.test(scan)),
    []
  )
  assert.isFalse(
    [...texts].some((text) => /wal_checkpoint/.test(text)),
    "the log is moved by a thread of its own"
  )
  assert.isBelow(most, bound, `${what}: ${[...new Set(statements)].join("\n")}`)
}

describe("upkeep of a large archive", () => {
  it.live(
    "compaction, gc and reading the operations of a series take few rows in each turn of the event loop",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* filled(directory)
        yield* Effect.gen(function* () {
          const store = yield* ProvenanceStore
          const compacted = yield* counted(store.compact())
          assert.strictEqual(compacted.value.payloads, answers)
          within("compact", compacted)
          const read = yield* counted(store.operationsOf(series, 0))
          assert.strictEqual(read.value.length, answers + 1)
          within("operations", read)
          const responses = Array.from({ length: answers }, (_, index) => ResponseId.make(index + 1))
          within("publication", yield* counted(store.recordOperation(other, { _tag: "Published", at: 1, responses })))
          const answered = yield* counted(store.answersOf(series, 0))
          assert.strictEqual(answered.value.length, answers + confirmations)
          within("answers", answered)
          const kept = Array.from({ length: answers / 10 }, (_, index) => ResponseId.make(index * 10 + 1))
          const collecting = (apply: boolean) =>
            store.gc({
              retention: { age: 0, ages: {}, bytes: null, source: null },
              apply,
              referenced: Stream.fromIterable(kept).pipe(Stream.rechunk(1_000))
            })
          within("gc, dry", yield* counted(collecting(false)))
          const collected = yield* counted(collecting(true))
          within("gc", collected)
          assert.isAbove(collected.texts.size, 20)
          // The chain of the hit stays, and what it begins with.
          assert.strictEqual(collected.value.responses, answers - answers / 10 - 1)
        }).pipe(withArchive({ directory }))
      }),
    120_000
  )
})
