import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { lookedUp, vendorFlag } from "./lookup.ts"
import { contractMeant, currencyFlag, symbolArgument } from "./named.ts"
import { printContracts } from "./printContracts.ts"

const flags = { symbol: symbolArgument, currency: currencyFlag, vendor: vendorFlag }

const contract = Effect.fn("tapestry ibkr contract")(
  function* ({ currency, symbol, vendor }: Command.Command.Config.Infer<typeof flags>) {
    const query = yield* contractMeant(symbol, currency)
    yield* printContracts(
      yield* lookedUp(vendor, (lookups, name) => lookups.describe(name, query)),
      ({ exchange, primaryExchange }) => primaryExchange ?? exchange,
      [
        {
          column: { header: "tick", align: "decimal" },
          text: ({ minTick }) => (minTick === null ? "" : String(minTick))
        },
        { column: { header: "expiry", align: "left" }, text: ({ expiry }) => expiry ?? "" }
      ],
      "no such contract"
    )
  },
  asCommand("ibkr", "contract")
)

export const command = Command.make("contract", flags, contract).pipe(
  Command.withDescription(
    "What IB knows of a contract: its number, exchanges, tick size, hours (all of it with --json). Archived, and answered from the archive for a day."
  ),
  Command.withShortDescription("What IB knows of a contract"),
  Command.withExamples([{ command: "tapestry ibkr contract AAPL --json" }])
)
