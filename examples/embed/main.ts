/**
 * Tapestry inside another Effect app: its Layers are provided like any others, a vendor of the app's own is registered beside
 * (here: instead of) the built-in ones, and the clock is the app's, so that "now" is an instant of its choice.
 *
 *     node main.ts [data directory]
 *
 * It is a package of its own, so `tapestry` has to be found; in a checkout:
 *
 *     npm run build
 *     mkdir -p examples/embed/node_modules && ln -sfn ../../.. examples/embed/node_modules/tapestry
 *     node examples/embed/main.ts
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Clock, Console, Effect, Layer, Stream } from "effect"
import { AdapterRegistry, StitchingCache, Tapestry, TapestryConfig } from "tapestry"
import * as TideVendor from "./TideVendor.ts"

const dataDir = process.argv[2] ?? ".tapestry"

/** The vendor, for as long as the layer lives. */
const Tides = Layer.effectDiscard(AdapterRegistry.use((vendors) => vendors.register(TideVendor.make)))

const Runtime = Tides.pipe(
  Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...TapestryConfig.defaults, sample: false } })),
  Layer.provide(NodeServices.layer)
)

/** What is final and what may still change follows from the clock: in this app it is noon of the 15th of March 2024. */
const noon = Date.UTC(2024, 2, 15, 12)
const AppClock = Layer.effect(
  Clock.Clock,
  Clock.clockWith((real) => {
    const start = real.currentTimeMillisUnsafe()
    const now = () => noon + real.currentTimeMillisUnsafe() - start
    return Effect.succeed({
      currentTimeMillisUnsafe: now,
      currentTimeMillis: Effect.sync(now),
      currentTimeNanosUnsafe: () => BigInt(now()) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: real.monotonicTimeNanos,
      sleep: (duration) => real.sleep(duration)
    })
  })
)

const program = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const series = yield* cache.resolve("tides", { symbol: "dover", kind: "bar", timeframe: "1h" })
  const range = { start: Date.UTC(2024, 2, 14), end: Date.UTC(2024, 2, 15, 13) }

  const answer = yield* cache.read({ series, range })
  const bars = yield* Stream.runCollect(answer.bars)
  const highest = Math.max(...bars.map((bar) => bar.high))
  yield* Console.log(`${bars.length} hours of ${series.symbol}, the highest water ${highest.toFixed(2)} m`)
  for (const { end, start, state } of answer.coverage) {
    yield* Console.log(`${new Date(start).toISOString()} to ${new Date(end).toISOString()}  ${state._tag}`)
  }

  const again = yield* cache.read({ series, range })
  yield* Console.log(`asked the vendor ${answer.requests} time(s), then ${again.requests}`)

  yield* cache
    .resolve("tides", { symbol: "dover", kind: "bar", timeframe: "1d" })
    .pipe(Effect.catchReason("StitchingCacheError", "VendorError", (error) => Console.log(`refused: ${error.message}`)))
})

await Effect.runPromise(program.pipe(Effect.provide(Runtime), Effect.provide(AppClock)))
