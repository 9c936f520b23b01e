/**
 * Keeps V8's heap small around what passes rows on: of the rows none survives a page, and left alone V8 lets garbage pile up for them all
 * the same. The young generation is held at half of what a server has. The old one is collected when it has doubled: V8 would let it grow to
 * four times what is alive, since most of what gets there are rows of a page that was under way during two collections.
 *
 * The factor is read after each full collection, which takes about 20 ms; over ten million rows there are some 150 of them in place of 40.
 */
import { setFlagsFromString } from "node:v8"
import { Effect, Layer } from "effect"
import * as YoungGeneration from "./youngGeneration.ts"

/** Percent by which the old generation may grow until the next full collection; 0 is V8's own choice. */
const growth = 100

const setGrowth = (percent: number): void => setFlagsFromString(`--heap-growing-percent=${percent}`)

/** While the scope lives. */
export const layer: Layer.Layer<never> = Layer.merge(
  YoungGeneration.heldAt(YoungGeneration.limit / 2),
  Layer.effectDiscard(
    Effect.acquireRelease(
      Effect.sync(() => setGrowth(growth)),
      () => Effect.sync(() => setGrowth(0))
    )
  )
)
