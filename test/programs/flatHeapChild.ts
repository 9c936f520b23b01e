/**
 * Passes pages of rows on, of which a few are alive at once, beside a program that stays. Prints the most that V8's old generation had in
 * use; `flat` as argument puts the layer around it.
 */
import { getHeapSpaceStatistics } from "node:v8"
import { Effect } from "effect"
import * as FlatHeap from "../../src/programs/flatHeap.ts"

const old = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? 0

const page = () => Array.from({ length: 1_000 }, (_, n) => ({ n, text: `row ${n}` }))
const program = Array.from({ length: 100 }, page)
let most = 0
/** As many as live through two collections of the young generation. */
const underWay: Array<ReturnType<typeof page>> = []

const passing = Effect.forEach(
  Array.from({ length: 6_000 }),
  () =>
    Effect.andThen(
      Effect.sync(() => {
        underWay.push(page())
        if (underWay.length > 50) underWay.shift()
        most = Math.max(most, old())
      }),
      Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    ),
  { discard: true }
)

await Effect.runPromise(process.argv[2] === "flat" ? Effect.provide(passing, FlatHeap.layer) : passing)
console.log(most, program.length)
