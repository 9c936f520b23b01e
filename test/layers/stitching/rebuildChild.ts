/** A process that rebuilds the data directory of its first argument, and prints how many series that were. */
import { Console, Effect, References, Stream } from "effect"
import * as CrashPoint from "../../../src/programs/CrashPoint.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { rebuiltVendor } from "./rebuiltVendor.ts"
import { over } from "./support.ts"

const [directory = ""] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const events = yield* Stream.runCollect(cache.rebuild())
  yield* Console.log(events.filter(({ _tag }) => _tag === "Rebuilt").length)
}).pipe(
  Effect.provide(over(directory, [rebuiltVendor().adapter])),
  Effect.provide(CrashPoint.layer),
  Effect.provideService(References.MinimumLogLevel, "Warn")
)

await Effect.runPromise(program)
