import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { vendorDocument, vendorFields } from "../../format/vendorText.ts"
import { Output } from "../../terminal/Output.ts"
import { fieldLines } from "../../terminal/printList.ts"
import { styleOf } from "../../terminal/Style.ts"
import { withVendors } from "../../withData.ts"

const flags = { vendor: Argument.String("vendor").pipe(Argument.withDescription("The vendor's name")) }

const describe = Effect.fn("tapestry vendors describe")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const json = yield* Json
    const { line, lines, terminal } = yield* Output
    const { description, symbols } = yield* withVendors(
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const adapter = yield* registry.resolve(input.vendor)
        return { description: yield* registry.describe(input.vendor), symbols: yield* adapter.symbols }
      })
    )
    if (json) return yield* line(JSON.stringify({ vendor: { ...vendorDocument(description), symbols } }))
    yield* lines(fieldLines(vendorFields(description, symbols), styleOf(terminal).dim))
  },
  asCommand("vendors", "describe")
)

export const command = Command.make("describe", flags, describe).pipe(
  Command.withDescription("What a vendor offers and within which limits."),
  Command.withExamples([{ command: "tapestry vendors describe sample" }])
)
