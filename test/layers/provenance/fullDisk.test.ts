import { readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import type { Response } from "../../../src/domain/Response.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { archive, noise, withArchive } from "./archive.ts"
import { fullAfter } from "./failingFiles.ts"
import { temporaryDirectory } from "./temporary.ts"

const body = (index: number, size: number) => noise(size, index + 1)

/** Everything that was acknowledged is there and whole. */
const intact = Effect.fnUntraced(function* (accepted: ReadonlyArray<readonly [Response, Uint8Array]>) {
  const store = yield* ProvenanceStore
  for (const [response, bytes] of accepted) {
    assert.deepStrictEqual(yield* store.response(response.id), response)
    assert.deepStrictEqual(Uint8Array.from(yield* store.payload(response.sha256 ?? "")), bytes)
  }
  assert.deepStrictEqual(yield* Stream.runCollect(store.verify(() => Effect.void)), [])
  assert.strictEqual((yield* store.stats).responses, accepted.length)
})

const fill = Effect.fnUntraced(function* (size: number, concurrency: number) {
  const tried = yield* Effect.forEach(
    Array.from({ length: 60 }, (_, index) => index),
    (index) =>
      Effect.map(Effect.result(archive({ index }, body(index, size))), (result) => ({
        result,
        bytes: body(index, size)
      })),
    { concurrency }
  )
  const accepted = tried.flatMap(({ result, bytes }) =>
    Result.isSuccess(result) ? [[result.success, bytes] as const] : []
  )
  const refused = tried.flatMap(({ result }) => (Result.isFailure(result) ? [result.failure] : []))
  return { accepted, refused }
})

describe("disk full", () => {
  for (const concurrency of [1, 16]) {
    it.effect(
      `a full database (max_page_count), ${concurrency} at a time: ArchiveFull, and nothing accepted is lost`,
      () =>
        Effect.gen(function* () {
          const directory = yield* temporaryDirectory
          const { accepted, refused } = yield* Effect.gen(function* () {
            const outcome = yield* fill(20_000, concurrency)
            yield* intact(outcome.accepted)
            return outcome
          }).pipe(withArchive({ directory, maxPageCount: 150 }))
          assert.isAbove(accepted.length, 5)
          assert.isAbove(refused.length, 5)
          for (const failure of refused) {
            assert.strictEqual(failure.reason._tag, "ArchiveFull")
            assert.include(failure.message, "free some space")
          }
          // With space again the same archive goes on, whole.
          yield* Effect.gen(function* () {
            yield* intact(accepted)
            yield* intact([...accepted, [yield* archive({ later: true }, body(99, 20_000)), body(99, 20_000)]])
          }).pipe(withArchive({ directory }))
        })
    )
  }

  it.effect("a full file system (ENOSPC after n bytes): ArchiveFull, no half file, and nothing accepted is lost", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const { accepted, refused } = yield* Effect.gen(function* () {
        const outcome = yield* fill(100_000, 4)
        yield* intact(outcome.accepted)
        return outcome
      }).pipe(withArchive({ directory }, fullAfter(1_250_000)))
      assert.strictEqual(accepted.length, 12)
      for (const failure of refused) assert.strictEqual(failure.reason._tag, "ArchiveFull")
      const files = readdirSync(join(directory, "responses"), { recursive: true, encoding: "utf8" })
      assert.strictEqual(files.filter((name) => name.endsWith(".bin")).length, 12)
      assert.deepStrictEqual(
        files.filter((name) => name.endsWith(".tmp")),
        []
      )
      yield* intact(accepted).pipe(withArchive({ directory }))
    })
  )

  it.effect("no room for the tables themselves: ArchiveFull at the start", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const failure = yield* Effect.flip(
        Effect.asVoid(ProvenanceStore).pipe(withArchive({ directory, maxPageCount: 4 }))
      )
      assert.strictEqual(failure.reason._tag, "ArchiveFull")
    })
  )

  it.effect("a payload over the limit is refused before anything is written", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const store = yield* ProvenanceStore
        const failure = yield* Effect.flip(archive({ a: 1 }, body(1, 100_001)))
        assert.deepInclude(failure.reason, { _tag: "PayloadTooLarge", sizeBytes: 100_001, limit: 100_000 })
        assert.strictEqual((yield* store.stats).payloads, 0)
        yield* archive({ a: 1 }, body(1, 100_000))
      }).pipe(withArchive({ directory, payloadLimit: 100_000 }))
    })
  )
})
