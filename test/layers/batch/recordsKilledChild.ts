/** Submits trades from 64 fibers, those from a number on, and writes the number of each that was acknowledged on a line of its own. */
import { writeSync } from "node:fs"
import { Effect } from "effect"
import { BatchProcessor } from "../../../src/services/BatchProcessor.ts"
import { layersOver, tradeAt, trades } from "./killedLayers.ts"

const [directory = "", url = "", from = "0"] = process.argv.slice(2)
let next = Number(from)

const submitting = Effect.gen(function* () {
  const { submit } = yield* BatchProcessor
  return yield* Effect.forever(
    Effect.gen(function* () {
      const index = next++
      yield* submit({ series: trades, row: tradeAt(index) })
      writeSync(1, `${index}\n`)
    })
  )
})

await Effect.runPromise(
  Effect.forEach(Array.from({ length: 64 }), () => submitting, { concurrency: "unbounded", discard: true }).pipe(
    Effect.provide(layersOver(directory, url))
  )
)
