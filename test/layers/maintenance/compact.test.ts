import { readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, noise, raw, withArchive } from "../provenance/archive.ts"
import { temporaryDirectory } from "../provenance/temporary.ts"
import { makeOlder } from "./olderArchive.ts"

const prices = (rows: number, seed: number): Uint8Array =>
  new TextEncoder().encode(
    Array.from(
      { length: rows },
      (_, row) => `2024-03-04T10:${row % 60}:00Z,${seed}.${row % 97},101.5,99.5,100,1200`
    ).join("\n")
  )

/** Small and large, compressible and not. */
const bodies = [
  ...Array.from({ length: 300 }, (_, index) => prices(20 + (index % 200), index)),
  ...Array.from({ length: 6 }, (_, index) => prices(3_000, index)),
  noise(90_000, 7),
  noise(5_000, 8),
  new TextEncoder().encode("short")
]

const files = (directory: string) =>
  readdirSync(join(directory, "responses"), { recursive: true, encoding: "utf8" }).filter((name) => name.includes("."))

const filled = Effect.fnUntraced(function* (directory: string) {
  const hashes = yield* Effect.forEach(bodies, (body, index) =>
    Effect.map(archive({ index }, body), ({ sha256 }) => sha256 ?? "")
  ).pipe(withArchive({ directory }))
  yield* makeOlder(directory)
  return hashes
})

const sameBytes = Effect.fnUntraced(function* (hashes: ReadonlyArray<string>) {
  const store = yield* ProvenanceStore
  for (const [index, sha256] of hashes.entries()) {
    assert.deepStrictEqual(Uint8Array.from(yield* store.payload(sha256)), bodies[index])
  }
  assert.deepStrictEqual(yield* Stream.runCollect(store.verify(() => Effect.void)), [])
})

describe("compaction", () => {
  it.live(
    "C12 an older archive is compressed, bytes come back as they were, and a second run finds nothing to do",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const hashes = yield* filled(directory)
        assert.isTrue(files(directory).every((name) => name.endsWith(".bin")))
        yield* Effect.gen(function* () {
          const store = yield* ProvenanceStore
          yield* sameBytes(hashes)
          const whole = bodies.reduce((sum, body) => sum + body.byteLength, 0)
          assert.strictEqual((yield* store.stats).storedBytes, whole)
          const report = yield* store.compact()
          assert.deepInclude(report, { payloads: 306, damaged: 0, storedBefore: whole, freeBytes: 0 })
          assert.isBelow(report.storedAfter, whole / 3)
          assert.isBelow(report.databaseAfter, report.databaseBefore)
          yield* sameBytes(hashes)
          const stats = yield* store.stats
          assert.deepInclude(stats, { payloads: bodies.length, payloadBytes: whole, storedBytes: report.storedAfter })
          assert.deepInclude(yield* store.compact(), { payloads: 0, storedBefore: report.storedAfter })
          assert.deepStrictEqual(
            files(directory).filter((name) => !name.endsWith(".zst")).length,
            1,
            "noise stays as it came"
          )
        }).pipe(withArchive({ directory }))
        const kept = yield* raw(directory, (db) =>
          db.prepare("select count(*) from payloads where encoding is null").pluck().get()
        )
        assert.strictEqual(kept, 0)
      })
  )

  it.live("C12 a torn payload is left for verify to name", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const [first = ""] = yield* filled(directory)
      yield* raw(directory, (db) =>
        db.prepare("update payloads set body = zeroblob(size) where sha256 = ?").run(Buffer.from(first, "hex"))
      )
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        assert.deepInclude(yield* store.compact(), { payloads: 305, damaged: 1 })
        const found = yield* Stream.runCollect(store.verify(() => Effect.void))
        assert.deepStrictEqual(
          found.map(({ problem, sha256 }) => [sha256, problem]),
          [[first, "torn"]]
        )
      }).pipe(withArchive({ directory }))
    })
  )

  it.live("C12 answers that come while it runs, of the same bytes and of others, are whole", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const hashes = yield* filled(directory)
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const running = yield* Effect.forkChild(store.compact())
        const again = yield* Effect.forEach(
          bodies.toReversed(),
          (body, index) => Effect.map(archive({ again: index }, body), ({ sha256 }) => sha256 ?? ""),
          { concurrency: 8 }
        )
        yield* Fiber.join(running)
        assert.deepStrictEqual(again.toReversed(), hashes)
        yield* sameBytes(hashes)
        yield* store.compact()
        yield* sameBytes(hashes)
      }).pipe(withArchive({ directory }))
    })
  )
})
