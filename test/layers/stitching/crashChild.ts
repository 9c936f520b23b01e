/**
 * A process that reads one day in four pieces, one after another, over the data directory of its first argument, and prints
 * the answer. Its vendor writes every request that it gets to the file of the second argument, synced, before it answers: the
 * vendor's own memory, which no crash here can touch.
 */
import { fsyncSync, openSync, writeSync } from "node:fs"
import { Console, Effect, References } from "effect"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import * as CrashPoint from "../../../src/programs/CrashPoint.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, hour, over } from "./support.ts"

const [directory = "", logfile = ""] = process.argv.slice(2)
const log = openSync(logfile, "a")

const vendor = ModelVendor.make({
  limits: { concurrency: 1, timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } } },
  onRequest: ({ range }) =>
    Effect.sync(() => {
      writeSync(log, `${new Date(range.start).toISOString()}\n`)
      fsyncSync(log)
    })
})

const program = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const series = vendor.series("ALPHA", "1h")
  const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
  const answer = yield* cache.read({ series, range })
  const bars = yield* barsOf(answer)
  const model = yield* vendor.direct(series, range)
  yield* Console.log(
    JSON.stringify({
      rows: bars.length,
      equal: JSON.stringify(bars) === JSON.stringify(model),
      covered: answer.coverage.every(({ state }) => state._tag === "Covered")
    })
  )
}).pipe(
  Effect.provide(over(directory, [vendor.adapter])),
  Effect.provide(CrashPoint.layer),
  // The answer is all that goes to standard output.
  Effect.provideService(References.MinimumLogLevel, "Warn")
)

await Effect.runPromise(program)
