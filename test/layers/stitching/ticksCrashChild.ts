/**
 * A process that reads two minutes of single trades, in pages, over the data directory of its first argument, and prints what it had. Its
 * vendor writes every page that it is asked for to the file of the second argument, synced, before it answers.
 */
import { fsyncSync, openSync, writeSync } from "node:fs"
import { Console, Effect, References, Stream } from "effect"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import * as CrashPoint from "../../../src/programs/CrashPoint.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { between, over } from "./support.ts"

const [directory = "", logfile = ""] = process.argv.slice(2)
const log = openSync(logfile, "a")

const vendor = ModelVendor.make({
  stream: {
    rate: 4,
    pageRows: 100,
    numbered: false,
    resolution: 1_000,
    historyTrouble: ({ end, from, start }) => {
      writeSync(log, `${start} ${end} ${from}\n`)
      fsyncSync(log)
      return null
    }
  }
})

const text = (row: object) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}` : value))

const program = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const series = vendor.stream?.ticks?.seriesOf("ALPHA", "trade")
  if (series === undefined) return
  const range = between("2024-03-01T10:00:00Z", "2024-03-01T10:02:00Z")
  const answer = yield* cache.ticks({ series, range })
  const rows = yield* Stream.runCollect(answer.rows)
  const truth = vendor.stream?.ticks?.truth(series, range) ?? []
  yield* Console.log(
    JSON.stringify({
      rows: rows.length,
      equal: JSON.stringify(rows.map(text).sort()) === JSON.stringify(truth.map(text).sort()),
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
