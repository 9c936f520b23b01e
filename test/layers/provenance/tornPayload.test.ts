import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { zstdDecompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, noise, payloadFile, raw, withArchive } from "./archive.ts"
import { recorded } from "./failingFiles.ts"
import { temporaryDirectory } from "./temporary.ts"

/** In a file as it came. */
const large = noise(200_000)
/** In a file of one zstd frame, which is larger than what the harms leave of it. */
const compressible = new Uint8Array(800_000).map((_, index) => (index % 4 === 0 ? (large[index / 4] ?? 0) : 7))
const kinds = [
  ["as it came", "bin", large],
  ["compressed", "zst", compressible]
] as const
const small = new TextEncoder().encode("a small answer")

const damages = Effect.gen(function* () {
  const store = yield* ProvenanceStore
  let checked = 0
  const found = yield* Stream.runCollect(
    store.verify((count) =>
      Effect.sync(() => {
        checked = count
      })
    )
  )
  return { checked, found }
})

const flip = (path: string) => {
  const content = readFileSync(path)
  content[1_000] = (content[1_000] ?? 0) ^ 1
  writeFileSync(path, content)
}

const harms: ReadonlyArray<readonly [string, "torn" | "missing", (path: string) => void]> = [
  ["a torn file (cut short)", "torn", (path) => truncateSync(path, 70_000)],
  ["a torn file (same size, a bit flipped)", "torn", flip],
  ["an emptied file", "torn", (path) => truncateSync(path, 0)],
  ["a missing file", "missing", (path) => rmSync(path)]
]

describe("C5 torn file", () => {
  for (const [[what, problem, harm], [how, extension, large]] of harms.flatMap((harm) =>
    kinds.map((kind) => [harm, kind] as const)
  )) {
    it.effect(
      `C5 ${what}, ${how}, is found by its hash, named by verify, and healed when the same bytes come again`,
      () =>
        Effect.gen(function* () {
          const directory = yield* temporaryDirectory
          const path = yield* Effect.gen(function* () {
            const store = yield* ProvenanceStore
            const first = yield* archive({ a: 1 }, large)
            const second = yield* archive({ a: 2 }, large)
            yield* archive({ a: 3 }, small)
            const file = payloadFile(directory, first.sha256, extension)
            const kept = readFileSync(file)
            assert.deepStrictEqual(Uint8Array.from(extension === "zst" ? zstdDecompressSync(kept) : kept), large)
            harm(file)

            for (const read of [
              Effect.asVoid(store.payload(first.sha256 ?? "")),
              Effect.asVoid(store.lookup(second.identity, 0))
            ]) {
              const failure = yield* Effect.flip(read)
              assert.deepInclude(failure.reason, { _tag: "PayloadDamaged", sha256: first.sha256 ?? "", problem })
            }
            const { checked, found } = yield* damages
            assert.strictEqual(checked, 2)
            assert.deepStrictEqual(found, [
              { sha256: first.sha256 ?? "", problem, where: file, responses: [first.id, second.id] }
            ])
            return file
          }).pipe(withArchive({ directory }))

          // Another process, which has not seen the damage, writes the same bytes.
          yield* Effect.gen(function* () {
            const store = yield* ProvenanceStore
            const again = yield* archive({ a: 4 }, large)
            assert.deepStrictEqual(Uint8Array.from(yield* store.payload(again.sha256 ?? "")), large)
            assert.deepStrictEqual((yield* damages).found, [])
            assert.strictEqual((yield* store.stats).payloads, 2)
          }).pipe(withArchive({ directory }))
          assert.deepStrictEqual(readdirSync(dirname(path)), [path.split("/").at(-1) ?? ""], "no temporary file stays")
        })
    )
  }

  it.effect("C5 a damaged row is found by its hash and healed when the same bytes come again", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const first = yield* archive({ a: 1 }, small)
        yield* raw(directory, (db) => db.prepare("update payloads set body = ?").run(Buffer.from("a small ansver")))
        const failure = yield* Effect.flip(store.lookup(first.identity, 0))
        assert.strictEqual(failure.reason._tag, "PayloadDamaged")
        assert.deepStrictEqual(
          (yield* damages).found.map(({ problem, responses }) => ({ problem, responses })),
          [{ problem: "torn", responses: [first.id] }]
        )
        const again = yield* archive({ a: 1 }, small)
        assert.deepStrictEqual(Uint8Array.from(yield* store.payload(again.sha256 ?? "")), small)
        assert.deepStrictEqual((yield* damages).found, [])
      }).pipe(withArchive({ directory }))
    })
  )

  it.effect("C5 verify hashes every payload, page after page", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const torn: Array<string | null> = []
        for (let index = 0; index < 150; index++) {
          const response = yield* archive({ index }, new TextEncoder().encode(`body ${index}`))
          if (index % 40 === 0) torn.push(response.sha256)
        }
        yield* raw(directory, (db) => {
          for (const sha256 of torn) {
            db.prepare("update payloads set body = x'00' where sha256 = ?").run(Buffer.from(sha256 ?? "", "hex"))
          }
        })
        const { checked, found } = yield* damages
        assert.strictEqual(checked, 150)
        assert.deepStrictEqual(
          found.map(({ sha256 }) => sha256),
          torn
        )
      }).pipe(withArchive({ directory }))
    })
  )

  it.effect("C5 atomic write: another name, synced, renamed, directory synced, and only then the row", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const log: Array<string> = []
      const act = (point: string) => {
        if (point === "rowWritten") log.push("row")
      }
      const shard = yield* Effect.gen(function* () {
        const first = yield* archive({ a: 1 }, large)
        yield* archive({ a: 2 }, large)
        return dirname(payloadFile(directory, first.sha256))
      }).pipe(withArchive({ directory }, recorded(log)), Effect.provideService(FaultPoint, act))
      const short = log.map((line) =>
        line
          .replace(/[0-9a-f]{64}\.\d+\.[0-9a-f.]+\.tmp/, "draft")
          .replace(/[0-9a-f]{64}\.bin/, "payload")
          .replace(shard, "SHARD")
          .replace(directory, "DATA")
      )
      assert.deepStrictEqual(short, [
        "sync DATA/responses",
        "sync DATA",
        "write SHARD/draft",
        "sync SHARD/draft",
        "rename SHARD/payload",
        "sync SHARD",
        "row",
        // The same bytes again: the file is compared and relied on.
        "sync SHARD",
        "row"
      ])
    })
  )
})
