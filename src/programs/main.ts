import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Option, References, Stdio } from "effect"
import { CliConfig, Command } from "effect/cli"
import manifest from "../../package.json" with { type: "json" }
import * as CrashPoint from "./CrashPoint.ts"
import { commandsFor } from "./catalogue.ts"
import { expectNode } from "./failure/expectNode.ts"
import { reported } from "./failure/reported.ts"
import * as UsagePresenter from "./failure/UsagePresenter.ts"
import { builtIns, all as globalFlags } from "./flags/GlobalFlags.ts"
import { levelOf } from "./logLevels.ts"
import { runMain } from "./runMain.ts"
import { environmentLevel } from "./Settings.ts"
import * as Logs from "./terminal/Logs.ts"
import * as Output from "./terminal/Output.ts"

const tapestry = Command.make("tapestry").pipe(
  Command.withDescription(
    "Market data that can be trusted: every range fetched once, every row traced to the bytes it came from."
  )
)

const run = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
  const whole = tapestry.pipe(Command.withSubcommands(yield* commandsFor(words)), Command.withGlobalFlags(globalFlags))
  return yield* Command.runWith(whole, { version: manifest.version })(words)
})

const Environment = Layer.mergeAll(CliConfig.layer({ builtIns }), UsagePresenter.layer, Logs.layer).pipe(
  Layer.provideMerge(Layer.mergeAll(Output.layer, NodeServices.layer))
)

/** `--json` as the words of the command line have it: errors of the parser itself are reported in JSON, too. */
const asksForJson = (words: ReadonlyArray<string>): boolean => {
  const end = words.indexOf("--")
  return (end < 0 ? words : words.slice(0, end)).includes("--json")
}

const main = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const words = yield* stdio.args
  const command = Effect.gen(function* () {
    yield* expectNode(process.versions.node)
    const level = yield* environmentLevel
    yield* Effect.provideService(run(words), References.MinimumLogLevel, levelOf(Option.getOrElse(level, () => "warn")))
  }).pipe(Effect.provide(CrashPoint.layer))
  yield* reported({ json: asksForJson(words) })(command)
})

main.pipe(Effect.provide(Environment), (program) => runMain(program, { disableErrorReporting: true }))
