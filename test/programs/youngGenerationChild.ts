/**
 * Makes much that survives a few collections, in turns of the event loop, as many requests at once do. Prints the bytes of V8's young
 * generation at the end; `held` as argument puts the layer around it.
 */
import { Effect } from "effect"
import * as YoungGeneration from "../../src/programs/youngGeneration.ts"

const kept: Array<ReadonlyArray<{ readonly n: number }>> = []

const request = Effect.sync(() => {
  for (let i = 0; i < 20; i++) kept.push(Array.from({ length: 1_000 }, (_, n) => ({ n })))
  if (kept.length > 400) kept.splice(0, 200)
})

const load = Effect.forEach(
  Array.from({ length: 1_500 }),
  () =>
    Effect.andThen(
      request,
      Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    ),
  { discard: true }
)

const measured = Effect.andThen(
  load,
  Effect.sync(() => console.log(YoungGeneration.youngBytes()))
)
await Effect.runPromise(process.argv[2] === "held" ? Effect.provide(measured, YoungGeneration.layer) : measured)
