/**
 * The test procedures in a process of their own: prints its port, and serves until it is killed. Run with --expose-gc it collects its
 * garbage at each SIGUSR2, and prints how many bytes it holds then.
 */
import { Effect } from "effect"
import { hosted } from "./hosted.ts"

const program = Effect.gen(function* () {
  const { target } = yield* hosted("tcp")
  process.stdout.write(`${"port" in target ? target.port : 0}\n`)
  return yield* Effect.never
})

process.on("SIGUSR2", () => {
  globalThis.gc?.()
  const { external, heapUsed } = process.memoryUsage()
  process.stdout.write(`${heapUsed + external}\n`)
})
Effect.runFork(Effect.scoped(program))
