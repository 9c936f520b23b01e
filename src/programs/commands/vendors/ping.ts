import { Duration, Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { duration } from "../../format/Numbers.ts"
import { Output } from "../../terminal/Output.ts"
import { oneLine, styleOf } from "../../terminal/Style.ts"
import { withVendors } from "../../withData.ts"

const flags = { vendor: Argument.String("vendor").pipe(Argument.withDescription("The vendor's name")) }

const ping = Effect.fn("tapestry vendors ping")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const json = yield* Json
    const { line, terminal } = yield* Output
    const style = styleOf(terminal)
    const report = yield* withVendors(AdapterRegistry.use((registry) => registry.ping(input.vendor)))
    const elapsedMillis = Duration.toMillis(report.elapsed)
    yield* json
      ? line(JSON.stringify({ vendor: input.vendor, ok: report.ok, elapsedMillis, detail: report.detail }))
      : line(
          `${input.vendor}: ${report.ok ? style.green("ok") : style.red("failed")} after ${duration(elapsedMillis)}: ${oneLine(report.detail)}`
        )
    if (!report.ok) return yield* new Ended({ code: 1 })
  },
  asCommand("vendors", "ping")
)

export const command = Command.make("ping", flags, ping).pipe(
  Command.withDescription("Ask the vendor itself whether it is there; ends with 1 when it is not."),
  Command.withExamples([{ command: "tapestry vendors ping sample" }])
)
