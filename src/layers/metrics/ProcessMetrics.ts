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

/** Milliseconds between two looks at the event loop; each costs a timer. */
const resolution = 50

const pulled = Effect.fnUntraced(function* (gauge: Metric.Gauge<number>, read: () => number) {
  const context = yield* Effect.context<never>()
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      Metric.registerUnsafe(gauge, context, {
        get: () => ({ value: read() }),
        update: () => {},
        modify: () => {}
      })
    ),
    (registration) => Effect.sync(registration.remove)
  )
})

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
    yield* pulled(residentBytes, () => process.memoryUsage.rss())
    yield* pulled(heapUsedBytes, () => process.memoryUsage().heapUsed)
    yield* pulled(startTimeSeconds, () => Math.round((performance.timeOrigin / 1000) * 1000) / 1000)
    yield* pulled(uptimeSeconds, () => process.uptime())
    yield* pulled(eventLoopDelaySeconds, longestDelay)
  })
)
