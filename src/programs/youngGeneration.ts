/**
 * Holds V8's young generation at the 32 MiB with which a server does well. Left alone V8 doubles it whenever enough of it has
 * survived, up to 128 MiB, and a thousand requests in a burst are enough: 80 MB more are resident then, for collections that
 * are not faster.
 *
 * The limit itself (`--max-semi-space-size`) is read once, before any code runs; the factor by which it grows is read at each growth.
 * So after each collection the factor says whether the next growth is one. Collections are some ten a second at the most busy,
 * and V8 grows after several of them.
 */
import { PerformanceObserver } from "node:perf_hooks"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { Effect, Layer } from "effect"

/** Bytes, of both semi-spaces. */
export const limit = 32 * 1024 * 1024
/** V8's own. */
const growth = 2

const setGrowth = (factor: number): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

export const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0

/** At a limit of one's own, while the scope lives. */
export const heldAt = (limit: number): Layer.Layer<never> =>
  Layer.effectDiscard(
    Effect.acquireRelease(
      Effect.sync(() => {
        let factor = growth
        const observer = new PerformanceObserver(() => {
          const next = youngBytes() < limit ? growth : 1
          if (next === factor) return
          factor = next
          setGrowth(factor)
        })
        observer.observe({ entryTypes: ["gc"] })
        return observer
      }),
      (observer) =>
        Effect.sync(() => {
          observer.disconnect()
          setGrowth(growth)
        })
    )
  )

/** While the scope lives. */
export const layer: Layer.Layer<never> = heldAt(limit)
