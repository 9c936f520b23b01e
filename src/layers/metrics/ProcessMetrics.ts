/** Gauges of the process itself, read when somebody asks for the metrics and not before; and counters that are there before they count. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect, Layer, Metric } from "effect"
import {
  eventLoopDelaySeconds,
  heapUsedBytes,
  residentBytes,
  shownFromTheStart,
  startTimeSeconds,
  uptimeSeconds
} from "../../services/Metrics.ts"
import { pulled } from "./pulled.ts"

/** Milliseconds between two looks at the event loop; each costs a timer. */
const resolution = 50

/** While the scope lives. */
export const layer: Layer.Layer<never> = Layer.effectDiscard(
  Effect.gen(function* () {
    const delays = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const histogram = monitorEventLoopDelay({ resolution })
        histogram.enable()
        return histogram
      }),
      (histogram) => Effect.sync(() => histogram.disable())
    )
    const longestDelay = () => {
      // Nanoseconds between two looks, so what is beyond the resolution is delay. Empty: nothing was seen since.
      const seconds = delays.count === 0 ? 0 : Math.max(0, delays.max / 1e9 - resolution / 1000)
      delays.reset()
      return seconds
    }
    yield* Effect.forEach(shownFromTheStart, Metric.value, { discard: true })
    yield* pulled(residentBytes, () => ({ value: process.memoryUsage.rss() }))
    yield* pulled(heapUsedBytes, () => ({ value: process.memoryUsage().heapUsed }))
    yield* pulled(startTimeSeconds, () => ({ value: Math.round((performance.timeOrigin / 1000) * 1000) / 1000 }))
    yield* pulled(uptimeSeconds, () => ({ value: process.uptime() }))
    yield* pulled(eventLoopDelaySeconds, () => ({ value: longestDelay() }))
  })
)
