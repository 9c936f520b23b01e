import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { lookedUp, vendorFlag } from "./lookup.ts"
import { printContracts } from "./printContracts.ts"

const flags = {
  pattern: Argument.String("pattern").pipe(Argument.withDescription("How its symbol begins, or a word of its name")),
  vendor: vendorFlag
}

const search = Effect.fn("tapestry ibkr search")(
  function* ({ pattern, vendor }: Command.Command.Config.Infer<typeof flags>) {
    yield* printContracts(
      yield* lookedUp(vendor, (lookups, name) => lookups.search(name, pattern)),
      ({ primaryExchange }) => primaryExchange ?? "",
      [{ column: { header: "derivatives", align: "left" }, text: ({ derivatives }) => derivatives.join(" ") }],
      "nothing of that name"
    )
  },
  asCommand("ibkr", "search")
)

export const command = Command.make("search", flags, search).pipe(
  Command.withDescription("Contracts whose symbol or name fits, as far as IB lists them (16 at most)."),
  Command.withShortDescription("Contracts by symbol or name"),
  Command.withExamples([{ command: "tapestry ibkr search APPLE" }])
)
