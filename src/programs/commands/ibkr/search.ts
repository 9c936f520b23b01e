import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { printList } from "../../terminal/printList.ts"
import { lookedUp, vendorFlag } from "./lookup.ts"

const flags = {
  pattern: Argument.String("pattern").pipe(Argument.withDescription("How its symbol begins, or a word of its name")),
  vendor: vendorFlag
}

const search = Effect.fn("tapestry ibkr search")(
  function* ({ pattern, vendor }: Command.Command.Config.Infer<typeof flags>) {
    const [{ searchRequest }, { decodeMatches }] = yield* Effect.promise(() =>
      Promise.all([
        import("../../../layers/adapters/ibkr/lookups.ts"),
        import("../../../layers/adapters/ibkr/decodeLookups.ts")
      ])
    )
    yield* printList({
      name: "contracts",
      items: yield* lookedUp(vendor, searchRequest(pattern), decodeMatches),
      columns: [
        { header: "id", align: "right" },
        { header: "symbol", align: "left" },
        { header: "kind", align: "left" },
        { header: "exchange", align: "left" },
        { header: "currency", align: "left" },
        { header: "derivatives", align: "left" },
        { header: "name", align: "left" }
      ],
      row: (one) => [
        String(one.conId),
        one.symbol,
        one.secType,
        one.primaryExchange,
        one.currency,
        one.derivatives.join(" "),
        one.description
      ],
      document: (one) => one,
      none: "nothing of that name"
    })
  },
  asCommand("ibkr", "search")
)

export const command = Command.make("search", flags, search).pipe(
  Command.withDescription("Contracts whose symbol or name fits, as far as IB lists them (16 at most)."),
  Command.withShortDescription("Contracts by symbol or name"),
  Command.withExamples([{ command: "tapestry ibkr search APPLE" }])
)
