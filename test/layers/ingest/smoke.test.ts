import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { ingest } from "./archiveWith.ts"
import * as Vendor from "./ScriptedVendor.ts"

it.effect("smoke", () => {
  const vendor = Vendor.make("v", () => Effect.succeed(Vendor.answer("hello")))
  return Effect.gen(function* () {
    const ingest = yield* IngestSession
    const store = yield* ProvenanceStore
    yield* Effect.scoped(
      Effect.gen(function* () {
        const session = yield* ingest.open({ source: "v", mode: "sync" })
        const a = yield* session.fetch(Vendor.request({ a: 1 }), { cacheMode: { _tag: "default", ttl: null } })
        const b = yield* session.fetch(Vendor.request({ a: 1 }), { cacheMode: { _tag: "default", ttl: null } })
        console.log(a, b)
      })
    )
    console.log(yield* store.sessions({ limit: 10 }), yield* store.requests({ limit: 10 }), yield* store.stats)
    assert.strictEqual(vendor.asked.length, 1)
  }).pipe(Effect.provide(ingest(vendor.adapter)))
})
