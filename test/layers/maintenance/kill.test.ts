/** A gc and a compaction are killed by SIGKILL at every step, one after the other, over the same archive, until one gets through. */
import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { Effect, References, Stream } from "effect"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, noise, raw, withArchive } from "../provenance/archive.ts"
import { temporaryDirectory } from "../provenance/temporary.ts"
import { makeOlder } from "./olderArchive.ts"

const child = fileURLToPath(new URL("./upkeepChild.ts", import.meta.url))
const count = 12

/** Small, large, and ones that no compression helps. */
const bodyOf = (index: number): Uint8Array =>
  index % 3 === 0
    ? noise(70_000 + index, index + 1)
    : new Uint8Array(index % 3 === 1 ? 90_000 + index : 4_000 + index).fill(index)

it.live(
  "C12 killed at any step, a gc and a compaction leave an archive in order, and the next one ends what they began",
  () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const cache = yield* temporaryDirectory
      const responses = yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => index),
        (index) => archive({ index }, bodyOf(index))
      ).pipe(withArchive({ directory }))
      yield* makeOlder(directory)
      yield* raw(directory, (db) => {
        db.prepare("update responses set fetched_at = fetched_at - 7200000").run()
        db.prepare("update requests set created_at = created_at - 7200000").run()
        db.prepare("update sessions set ended_at = 1").run()
      })
      const kept = responses.filter((_, index) => index % 2 === 0)

      /** What was kept is whole; of the others some may be gone, and what is there of them is whole, too. */
      const check = Effect.gen(function* () {
        const store = yield* ProvenanceStore
        assert.deepStrictEqual(yield* Stream.runCollect(store.verify(() => Effect.void)), [])
        for (const { id, sha256 } of kept) {
          assert.strictEqual((yield* store.response(id)).sha256, sha256)
          assert.deepStrictEqual(
            Uint8Array.from(yield* store.payload(sha256 ?? "")),
            bodyOf(responses.findIndex((response) => response.id === id))
          )
        }
        yield* raw(directory, (db) => {
          assert.deepStrictEqual(db.pragma("foreign_key_check"), [])
          assert.strictEqual(db.pragma("integrity_check", { simple: true }), "ok")
          const [sums] = db
            .prepare<[], { payloads: number; bytes: number }>(
              "select count(*) as payloads, sum(size) as bytes from payloads"
            )
            .all()
          return sums
        })
        const { payloadBytes, payloads } = yield* store.stats
        const sums = yield* raw(directory, (db) =>
          db.prepare("select count(*) as payloads, sum(size) as payloadBytes from payloads").get()
        )
        assert.deepStrictEqual({ payloads, payloadBytes }, sums)
      }).pipe(withArchive({ directory }), Effect.provideService(References.MinimumLogLevel, "Warn"))

      let kills = 0
      for (let visit = 1; ; visit++) {
        const { signal, stderr } = spawnSync(
          process.execPath,
          // The first, second or third step of what is left to do.
          [child, directory, String(1 + (visit % 3)), JSON.stringify(kept.map(({ id }) => id))],
          { env: { NODE_COMPILE_CACHE: cache }, encoding: "utf8" }
        )
        yield* check
        if (signal === null) {
          assert.strictEqual(stderr, "")
          break
        }
        kills++
      }
      assert.isAbove(kills, 10)
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const stats = yield* store.stats
        assert.deepInclude(stats, { responses: kept.length + 1, payloads: kept.length + 1 })
      }).pipe(withArchive({ directory }))
      const files = readdirSync(join(directory, "responses"), { recursive: true, encoding: "utf8" })
      assert.deepStrictEqual(
        files.filter((name) => name.endsWith(".tmp")),
        []
      )
      console.log(`${kills} kills`)
    }),
  180_000
)
