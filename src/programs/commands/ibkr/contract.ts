import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { printList } from "../../terminal/printList.ts"
import { lookedUp, vendorFlag } from "./lookup.ts"
import { contractMeant, currencyFlag, symbolArgument } from "./named.ts"

const flags = { symbol: symbolArgument, currency: currencyFlag, vendor: vendorFlag }

const contract = Effect.fn("tapestry ibkr contract")(
  function* ({ currency, symbol, vendor }: Command.Command.Config.Infer<typeof flags>) {
    const named = yield* contractMeant(symbol, currency)
    const [{ contractRequest }, { decodeContracts }] = yield* Effect.promise(() =>
      Promise.all([
        import("../../../layers/adapters/ibkr/lookups.ts"),
        import("../../../layers/adapters/ibkr/decodeLookups.ts")
      ])
    )
    yield* printList({
      name: "contracts",
      items: yield* lookedUp(vendor, contractRequest(named.contract), decodeContracts),
      columns: [
        { header: "id", align: "right" },
        { header: "symbol", align: "left" },
        { header: "kind", align: "left" },
        { header: "exchange", align: "left" },
        { header: "currency", align: "left" },
        { header: "tick", align: "decimal" },
        { header: "last trade", align: "left" },
        { header: "name", align: "left" }
      ],
      row: (one) => [
        String(one.conId),
        one.localSymbol,
        one.secType,
        one.primaryExchange === "" ? one.exchange : one.primaryExchange,
        one.currency,
        one.minTick === null ? "" : String(one.minTick),
        one.lastTrade,
        one.longName
      ],
      document: (one) => one,
      none: "no such contract"
    })
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
