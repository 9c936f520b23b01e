/**
 * A process that asks, compares, and is killed. It prints a JSON line for each answer, and once a second what it holds. In the
 * last round it reads every series to the end, wants the market of now, and ends by itself.
 */
import { readdirSync } from "node:fs"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Clock, Effect, Layer, References, Stream } from "effect"
import { isComplete } from "../../src/domain/Coverage.ts"
import { canonical } from "../../src/domain/SeriesKey.ts"
import { resolveVendor } from "../../src/layers/adapters/yahoo/YahooVendor.ts"
import { defaults } from "../../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import { StitchingCache } from "../../src/services/StitchingCache.ts"
import { marketsOf, verdictOf } from "./compare.ts"
import { allSeries, day, instrumentsOf, type Question, questionOf } from "./plan.ts"
import { withClockAhead } from "./shifted.ts"

export interface ClientOptions {
  readonly dataDir: string
  readonly host: string
  readonly seed: number
  readonly symbols: number
  readonly days: number
  readonly round: number
  /** Milliseconds that its clock is ahead of the machine's. */
  readonly ahead: number
  readonly last: boolean
}

const options: ClientOptions = JSON.parse(process.argv[2] ?? "{}")
const { ahead, dataDir, days, host, last, round, seed, symbols } = options

const spec = {
  adapter: "yahoo",
  host,
  rest: 1_000,
  timeout: 2_000,
  quota: { windows: [], concurrency: 4, maxInFlight: 16 }
} as const
const vendor = resolveVendor("yahoo", spec, defaults.archive.payloadLimit)
if (vendor._tag === "Failure") throw new Error(JSON.stringify(vendor.failure))
const config = { ...defaults, dataDir, sample: false, vendors: [vendor.success] }

const say = (event: object) => Effect.sync(() => process.stdout.write(`${JSON.stringify(event)}\n`))
const markets = marketsOf(instrumentsOf(seed, symbols, days), seed)

const holds = Effect.sync(() => ({
  rss: process.memoryUsage.rss(),
  files: readdirSync("/proc/self/fd").length
}))

const answer = Effect.fnUntraced(function* ({ policy, range, series }: Question, newest: boolean) {
  const cache = yield* StitchingCache
  const had = yield* cache.read({ series, range, policy }, { onMissing: "partial" })
  const bars = yield* Stream.runCollect(had.bars)
  const now = yield* Clock.currentTimeMillis
  const verdict = verdictOf(markets, series, had.coverage, bars, now, newest)
  return { had, bars, verdict }
})

const asker = (fiber: number, fibers: number) =>
  Effect.gen(function* () {
    for (let index = fiber; ; index += fibers) {
      const now = yield* Clock.currentTimeMillis
      const question = questionOf(seed, round, index, symbols, now)
      const { bars, had, verdict } = yield* answer(question, false)
      yield* say({
        _tag: "Answer",
        rows: bars.length,
        compared: verdict.compared,
        requests: had.requests,
        ...(verdict.problem === null
          ? {}
          : { problem: verdict.problem, series: canonical(question.series), range: question.range, index })
      })
    }
  })

const sampling = Effect.gen(function* () {
  while (true) {
    yield* Effect.sleep("1 second")
    yield* say({ _tag: "Holds", ...(yield* holds) })
  }
})

/** Everything that was ever asked for, to the end; what a vendor throttles is asked for again. */
const readToTheEnd = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  yield* Effect.forEach(
    allSeries(symbols),
    ({ days: back, series }) =>
      Effect.gen(function* () {
        const range = { start: now - back * day, end: now }
        let left = 5
        while (true) {
          const { bars, had, verdict } = yield* answer({ series, range, policy: "cacheFirst" }, true)
          const holes = had.coverage.filter(({ state }) => !isComplete(state))
          if ((holes.length > 0 || verdict.problem !== null) && --left > 0) {
            yield* Effect.sleep("1200 millis")
            continue
          }
          const problem =
            verdict.problem ?? (holes.length === 0 ? null : `not had: ${JSON.stringify(holes.slice(0, 3))}`)
          yield* say({
            _tag: "Final",
            rows: bars.length,
            compared: verdict.compared,
            requests: had.requests,
            ...(problem === null ? {} : { problem, series: canonical(series) })
          })
          return
        }
      }),
    { concurrency: 4, discard: true }
  )
})

const fibers = 6
const asking = Effect.all([sampling, ...Array.from({ length: fibers }, (_, fiber) => asker(fiber, fibers))], {
  concurrency: "unbounded",
  discard: true
})

const services = Tapestry.layer({ dataDir, config, patience: "5 seconds" }).pipe(
  Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
)

await Effect.runPromise(
  (last ? readToTheEnd : asking).pipe(
    Effect.provide(services),
    withClockAhead(() => ahead),
    Effect.provideService(References.MinimumLogLevel, "Error")
  )
)
