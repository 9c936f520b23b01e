import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { printList } from "../../terminal/printList.ts"
import { lookedUp, vendorFlag } from "./lookup.ts"
import { contractMeant, currencyFlag, symbolArgument } from "./named.ts"

const flags = { symbol: symbolArgument, currency: currencyFlag, vendor: vendorFlag }

const chain = Effect.fn("tapestry ibkr chain")(
  function* ({ currency, symbol, vendor }: Command.Command.Config.Infer<typeof flags>) {
    const query = yield* contractMeant(symbol, currency)
    yield* printList({
      name: "chains",
      items: yield* lookedUp(vendor, (lookups, name) => lookups.chain(name, query)),
      columns: [
        { header: "exchange", align: "left" },
        { header: "class", align: "left" },
        { header: "multiplier", align: "right" },
        { header: "dates", align: "right" },
        { header: "first", align: "left" },
        { header: "last", align: "left" },
        { header: "strikes", align: "right" },
        { header: "lowest", align: "decimal" },
        { header: "highest", align: "decimal" }
      ],
      row: (one) => [
        one.exchange,
        one.tradingClass,
        one.multiplier === null ? "" : String(one.multiplier),
        String(one.expirations.length),
        one.expirations[0] ?? "",
        one.expirations.at(-1) ?? "",
        String(one.strikes.length),
        String(one.strikes[0] ?? ""),
        String(one.strikes.at(-1) ?? "")
      ],
      document: (one) => one,
      none: "it has no options"
    })
  },
  asCommand("ibkr", "chain")
)

export const command = Command.make("chain", flags, chain).pipe(
  Command.withDescription(
    "The options of an underlying: by exchange, all dates and all strikes (each of them with --json). Not every pair of the two is listed."
  ),
  Command.withShortDescription("Which options there are of an underlying"),
  Command.withExamples([{ command: "tapestry ibkr chain AAPL --json" }])
)
