import { truncateSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { CacheMode } from "../../../src/domain/Request.ts"
import { type FetchOptions, IngestSession } from "../../../src/services/IngestSession.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { noise, payloadFile } from "../provenance/archive.ts"
import { temporaryDirectory } from "../provenance/temporary.ts"
import { ingest, ingestOver } from "./archiveWith.ts"
import * as Vendor from "./ScriptedVendor.ts"

const anyAge: CacheMode = { _tag: "default", ttl: null }
const bypass: CacheMode = { _tag: "bypass" }
const younger = (ttl: number): CacheMode => ({ _tag: "default", ttl })
const since = (notBefore: number): CacheMode => ({ _tag: "maxAge", notBefore })
const cachedOnly: CacheMode = { _tag: "onlyIfCached", ttl: null }

/** A vendor whose n-th answer is `answer n`. */
const counting = () => Vendor.make("vendor", (_, count) => Effect.succeed(Vendor.answer(`answer ${count}`)))

const asking = Effect.gen(function* () {
  const session = yield* (yield* IngestSession).open({ source: "vendor", mode: "sync" })
  return Effect.fnUntraced(function* (cacheMode: CacheMode, more: Partial<FetchOptions> = {}) {
    const { payload, served } = yield* session.fetch(Vendor.request({ symbol: "A" }), { cacheMode, ...more })
    return `${Vendor.text(payload)} from ${served}`
  })
})

describe("cache modes", () => {
  it.effect("C15 default answers from the archive, bypass always fetches and archives", () => {
    const vendor = counting()
    return Effect.gen(function* () {
      const ask = yield* asking
      assert.strictEqual(yield* ask(anyAge), "answer 1 from vendor")
      assert.strictEqual(yield* ask(anyAge), "answer 1 from archive")
      assert.strictEqual(yield* ask(bypass), "answer 2 from vendor")
      assert.strictEqual(yield* ask(anyAge), "answer 2 from archive")
      assert.strictEqual(vendor.asked.length, 2)
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("C15 maxAge takes only what was fetched at or after its instant", () =>
    Effect.gen(function* () {
      const ask = yield* asking
      yield* TestClock.setTime(1_000)
      yield* ask(anyAge)
      assert.strictEqual(yield* ask(since(1_000)), "answer 1 from archive")
      assert.strictEqual(yield* ask(since(1_001)), "answer 2 from vendor")
      yield* TestClock.setTime(2_000)
      assert.strictEqual(yield* ask(since(1_500)), "answer 3 from vendor")
      assert.strictEqual(yield* ask(since(1_500)), "answer 3 from archive")
    }).pipe(Effect.provide(ingest(counting().adapter)))
  )

  it.effect("C15 onlyIfCached takes the newest whatever its age, unless it has a time to live", () =>
    Effect.gen(function* () {
      const ask = yield* asking
      yield* ask(anyAge)
      yield* TestClock.adjust("3650 days")
      assert.strictEqual(yield* ask(cachedOnly), "answer 1 from archive")
      const tooOld = yield* Effect.flip(ask({ _tag: "onlyIfCached", ttl: 60_000 }))
      assert.strictEqual(tooOld.reason._tag, "CacheMiss")
    }).pipe(Effect.provide(ingest(counting().adapter)))
  )

  it.effect("C17 TTL-refresh served: after the time to live the refreshed answer is what is served, every time", () => {
    const vendor = counting()
    return Effect.gen(function* () {
      const ask = yield* asking
      const served: Array<string> = []
      for (let round = 0; round < 4; round++) {
        served.push(yield* ask(younger(100)), yield* ask(younger(100)))
        yield* TestClock.adjust(99)
        served.push(yield* ask(younger(100)))
        yield* TestClock.adjust(1)
      }
      assert.deepStrictEqual(
        served,
        [1, 2, 3, 4].flatMap((n) => [`answer ${n} from vendor`, `answer ${n} from archive`, `answer ${n} from archive`])
      )
      assert.strictEqual(yield* ask(anyAge), "answer 4 from archive")
      assert.strictEqual(vendor.asked.length, 4)
      const store = yield* ProvenanceStore
      const responses = yield* store.responses({ limit: 100 })
      for (const { request } of responses) assert.strictEqual((yield* store.request(request)).outcome, "fetched")
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("C17 a time to live of zero is never met, also within the same millisecond", () =>
    Effect.gen(function* () {
      const ask = yield* asking
      yield* ask(anyAge)
      assert.strictEqual(yield* ask(younger(0)), "answer 2 from vendor")
    }).pipe(Effect.provide(ingest(counting().adapter)))
  )

  it.effect("C18 bucket and cache tag partition the archive", () => {
    const vendor = counting()
    return Effect.gen(function* () {
      const ask = yield* asking
      const partitions: ReadonlyArray<Partial<FetchOptions>> = [
        {},
        { bucket: "2026-11-02" },
        { bucket: "2026-11-03" },
        { cacheTag: "trial" },
        { bucket: "2026-11-02", cacheTag: "trial" }
      ]
      for (const [index, partition] of partitions.entries()) {
        assert.strictEqual(yield* ask(anyAge, partition), `answer ${index + 1} from vendor`)
      }
      for (const [index, partition] of partitions.entries()) {
        assert.strictEqual(yield* ask(anyAge, partition), `answer ${index + 1} from archive`)
      }
      assert.strictEqual(yield* ask(anyAge, { bucket: null, cacheTag: null }), "answer 1 from archive")
      assert.strictEqual(vendor.asked.length, partitions.length)
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect("C21 a miss with onlyIfCached is a typed error, recorded, and asks nobody", () => {
    const vendor = counting()
    return Effect.gen(function* () {
      const ask = yield* asking
      const missed = yield* Effect.flip(ask(cachedOnly))
      assert.strictEqual(missed.reason._tag, "CacheMiss")
      assert.include(missed.message, "the archive has no answer for vendor request")
      assert.strictEqual(vendor.asked.length, 0)
      const [call] = yield* (yield* ProvenanceStore).requests({ limit: 1 })
      assert.deepInclude(call, { outcome: "failed", cacheMode: "onlyIfCached", cause: missed.message, response: null })
    }).pipe(Effect.provide(ingest(vendor.adapter)))
  })

  it.effect(
    "C5 torn file: a damaged answer is fetched again and served, and heals; with onlyIfCached it is the error",
    () => {
      const body = noise(150_000)
      const vendor = Vendor.make("vendor", () => Effect.succeed(Vendor.answer(body)))
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* Effect.gen(function* () {
          const session = yield* (yield* IngestSession).open({ source: "vendor", mode: "sync" })
          const fetch = (cacheMode: CacheMode) => session.fetch(Vendor.request({}), { cacheMode })
          const { response } = yield* fetch(anyAge)
          const file = payloadFile(directory, response.sha256)
          for (const harm of [() => truncateSync(file, 100), () => writeFileSync(file, new Uint8Array(150_000))]) {
            harm()
            const failure = yield* Effect.flip(fetch(cachedOnly))
            assert.strictEqual(failure.reason._tag, "ProvenanceStoreError")
            const healed = yield* fetch(anyAge)
            assert.strictEqual(healed.served, "vendor")
            assert.strictEqual(healed.response.sha256, response.sha256)
            const cached = yield* fetch(cachedOnly)
            assert.strictEqual(cached.response.id, healed.response.id)
            assert.deepStrictEqual(Uint8Array.from(cached.payload), body)
          }
          assert.strictEqual(vendor.asked.length, 3)
        }).pipe(Effect.provide(ingestOver({ directory }, [vendor.adapter])))
      })
    }
  )
})
