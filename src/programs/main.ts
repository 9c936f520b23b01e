import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Option, References, Stdio } from "effect"
import { CliConfig, Command } from "effect/cli"
import manifest from "../../package.json" with { type: "json" }
import * as CrashPoint from "./CrashPoint.ts"
import * as actions from "./commands/actions.ts"
import * as archive from "./commands/archive.ts"
import * as backup from "./commands/backup.ts"
import * as bars from "./commands/bars.ts"
import * as calendar from "./commands/calendar.ts"
import * as config from "./commands/config.ts"
import * as coverage from "./commands/coverage.ts"
import * as deadLetters from "./commands/deadLetters.ts"
import * as demo from "./commands/demo.ts"
import * as diff from "./commands/diff.ts"
import * as doctor from "./commands/doctor.ts"
import * as dump from "./commands/dump.ts"
import * as explain from "./commands/explain.ts"
import * as exporting from "./commands/export.ts"
import * as freshness from "./commands/freshness.ts"
import * as ingest from "./commands/ingest.ts"
import * as latest from "./commands/latest.ts"
import * as rebuild from "./commands/rebuild.ts"
import * as reconcile from "./commands/reconcile.ts"
import * as restore from "./commands/restore.ts"
import * as series from "./commands/series.ts"
import * as serve from "./commands/serve.ts"
import * as store from "./commands/store.ts"
import * as vendors from "./commands/vendors.ts"
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
  ),
  Command.withSubcommands([
    demo.command,
    bars.command,
    coverage.command,
    explain.command,
    diff.command,
    actions.command,
    reconcile.command,
    exporting.command,
    ingest.command,
    dump.command,
    deadLetters.command,
    latest.command,
    freshness.command,
    series.command,
    store.command,
    vendors.command,
    archive.command,
    backup.command,
    restore.command,
    rebuild.command,
    calendar.command,
    serve.command,
    config.command,
    doctor.command
  ]),
  Command.withGlobalFlags(globalFlags)
)

const run = Command.runWith(tapestry, { version: manifest.version })

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
