/**
 * A process under constant load that is to be killed: several fibers archive small and large payloads and record hits.
 *
 * What it is told (`ack`, `req`) and where it is (`at`) goes to file descriptor 3 with a synchronous write, so the parent finds
 * there whatever had happened when the signal came. With a stage and a number it kills itself at that visit of that stage.
 */
import { writeSync } from "node:fs"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"

const [directory = "", seedText = "1", stage = "", visitText = "1"] = process.argv.slice(2)
const report = (line: string) => void writeSync(3, `${line}\n`)

/** A small generator of numbers in [0, 1), the same for the same seed. */
let state = Number(seedText)
const random = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}

let visits = 0
const faults = Layer.succeed(FaultPoint, (point) => {
  report(`at ${point}`)
  if (point === stage && ++visits === Number(visitText)) process.kill(process.pid, "SIGKILL")
})

const sizes = () => (random() < 0.35 ? 66_000 + Math.floor(random() * 30_000) : 16 + Math.floor(random() * 20_000))

const worker = (fiber: number) =>
  Effect.gen(function* () {
    const store = yield* ProvenanceStore
    const session = yield* store.openSession({ source: "vendor", mode: "batch", asOf: null })
    for (let call = 0; ; call++) {
      const identity = {
        source: "vendor",
        kind: "bars",
        method: "GET" as const,
        params: { seed: seedText, fiber, call },
        body: null,
        bucket: null,
        cacheTag: null
      }
      const asking = { session, identity, subject: null, cacheMode: { _tag: "bypass" as const } }
      const request = yield* store.openRequest(asking)
      report(`req ${request}`)
      const body = new Uint8Array(sizes())
      // One in four repeats the bytes of other calls.
      body.fill(random() < 0.25 ? 7 : 1 + Math.floor(random() * 250))
      if (random() < 0.75) new DataView(body.buffer).setUint32(0, Math.floor(random() * 2 ** 32) >>> 0 || 1, true)
      const response = yield* store.append({
        request,
        attempt: 1,
        askedAt: 0,
        status: "ok",
        body,
        metadata: {
          contentType: null,
          encoding: null,
          transportStatus: 200,
          url: null,
          elapsedMillis: 1,
          headers: {},
          adapter: {}
        },
        cause: null,
        waited: 0
      })
      report(`ack ${response.id} ${response.sha256} ${response.sizeBytes}`)
      yield* store.recordHit(asking, response.id)
    }
  })

const program = Effect.gen(function* () {
  process.stdout.write("ready\n")
  yield* Effect.forEach([1, 2, 3, 4, 5, 6], worker, { concurrency: "unbounded", discard: true })
}).pipe(
  Effect.provide(
    // Every other process syncs its log beside the event loop.
    ProvenanceStoreSqlite.layer({ directory, syncBeside: Number(seedText) % 2 === 0 }).pipe(
      Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, faults))
    )
  )
)

await Effect.runPromise(program)
