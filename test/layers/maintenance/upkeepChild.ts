/** Runs a gc and a compaction over an archive, and kills itself at a visit of a fault point; 0: at none. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer, Stream } from "effect"
import { ResponseId } from "../../../src/domain/Response.ts"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"

const [directory = "", visitText = "0", referencedText = "[]"] = process.argv.slice(2)
const referenced: ReadonlyArray<number> = JSON.parse(referencedText)

let visits = 0
const faults = Layer.succeed(FaultPoint, (point) => {
  if (point !== "upkeep" && point !== "bytesWritten" && point !== "renamed") return
  if (++visits === Number(visitText)) process.kill(process.pid, "SIGKILL")
})

const program = ProvenanceStore.use((store) =>
  Effect.andThen(
    store.gc({
      retention: { age: 0, ages: {}, bytes: null, source: null },
      apply: true,
      referenced: Stream.fromIterable(referenced.map((id) => ResponseId.make(id)))
    }),
    store.compact()
  )
).pipe(
  Effect.provide(
    ProvenanceStoreSqlite.layer({ directory }).pipe(
      Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, faults))
    )
  )
)

await Effect.runPromise(program)
process.stdout.write(`${visits}\n`)
