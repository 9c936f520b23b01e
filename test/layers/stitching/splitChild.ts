/**
 * A process that reads two days of an adjusted series whose first day is stored from before a split, and prints whether the
 * answer is the new market. Its first argument is the data directory, its second the instant at which it lives, its third where
 * the range ends, its fourth the file into which its vendor writes every request, its fifth where it dies: `afterResponse 3` when
 * that fault point is reached for the third time.
 */
import { fsyncSync, openSync, writeSync } from "node:fs"
import { Console, Effect, References } from "effect"
import { TestClock } from "effect/testing"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, between, hour, over, utc } from "./support.ts"

const [directory = "", instant = "", to = "", logfile = "", crash = ""] = process.argv.slice(2)
const log = openSync(logfile, "a")

const vendor = ModelVendor.make({
  splits: [{ at: utc("2024-03-06T12:00:00Z"), ratio: 4 }],
  limits: { concurrency: 1, timeframes: { "1h": { maxSpan: 14 * hour, maxRows: null } } },
  onRequest: ({ range }) =>
    Effect.sync(() => {
      writeSync(log, `${new Date(range.start).toISOString().slice(5, 13)} ${(range.end - range.start) / hour}\n`)
      fsyncSync(log)
    })
})

const [point, count] = crash.split(" ")
let reached = 0
const die = (name: string) => {
  if (name === point && ++reached === Number(count)) process.kill(process.pid, "SIGKILL")
}

const program = Effect.gen(function* () {
  yield* TestClock.setTime(utc(instant))
  const cache = yield* StitchingCache
  const series = vendor.series("ALPHA", "1h", "splits")
  const range = between("2024-03-01T00:00:00Z", to)
  const answer = yield* cache.read({ series, range }, { onMissing: "partial" })
  const bars = yield* barsOf(answer)
  const now = yield* vendor.direct(series, range)
  const past = yield* cache.read({ series, range }, { asOf: utc("2024-03-06T11:00:00Z"), onMissing: "partial" })
  const stored = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
  const old = yield* vendor.direct(series, stored, utc("2024-03-06T11:00:00Z"))
  yield* Console.log(
    JSON.stringify({
      rows: bars.length,
      isNew: JSON.stringify(bars) === JSON.stringify(now),
      pastIsOld: JSON.stringify(yield* barsOf(past)) === JSON.stringify(old)
    })
  )
}).pipe(
  Effect.provide(over(directory, [vendor.adapter])),
  Effect.provideService(FaultPoint, die),
  Effect.provide(TestClock.layer()),
  Effect.scoped,
  Effect.provideService(References.MinimumLogLevel, "Warn")
)

await Effect.runPromise(program)
