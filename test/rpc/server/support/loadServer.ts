/** The test procedures in a process of their own: prints its port, and serves until it is killed. */
import { Effect } from "effect"
import { hosted } from "./hosted.ts"

const program = Effect.gen(function* () {
  const { target } = yield* hosted("tcp")
  process.stdout.write(`${"port" in target ? target.port : 0}\n`)
  return yield* Effect.never
})

Effect.runFork(Effect.scoped(program))
