/** `batch:` of the configuration is what the processor of a server works with. */
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Path } from "effect"
import { batchDefaults, ofTenant } from "../../../src/layers/batch/BatchConfig.ts"
import { BatchProcessor } from "../../../src/services/BatchProcessor.ts"
import { layer } from "../../rpc/handlers/world.ts"
import { signal } from "../../services/records/commits.ts"

const series = {
  vendor: "import-batch",
  dataset: null,
  symbol: "SPY",
  kind: "signal",
  timeframe: null,
  price: "none",
  session: "all",
  currency: null,
  adjustment: "raw"
} as const

describe("batch:", () => {
  it.live("sets what a server's processor holds, and what becomes of more", () =>
    Effect.gen(function* () {
      const { offer, stats, submit } = yield* BatchProcessor
      yield* submit({ series, row: signal(0, "a", 1) })
      assert.deepInclude((yield* stats)[0], { kind: "signal", capacity: 3, committed: 1 })
      for (const at of [1, 2, 3]) yield* offer({ series, row: signal(at, "a", 1) })
      const { reason } = yield* Effect.flip(offer({ series, row: signal(4, "a", 1) }))
      assert.deepInclude(reason, { _tag: "BufferFull", capacity: 3 })
    }).pipe(
      Effect.provide(layer({}, { batch: { ...batchDefaults, rows: 3, capacity: 3, overflow: "fail", age: 3_600_000 } }))
    )
  )

  it.effect("the letters of a tenant go into a file of its own beside that of whoever names none", () =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      assert.strictEqual(ofTenant("/letters/dead.ndjson", null, path), "/letters/dead.ndjson")
      assert.strictEqual(ofTenant("/letters/dead.ndjson", "acme", path), "/letters/dead.acme.ndjson")
      assert.strictEqual(ofTenant("/letters/dead", "acme", path), "/letters/dead.acme")
    }).pipe(Effect.provide(NodePath.layer))
  )
})
