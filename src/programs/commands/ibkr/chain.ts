import { Effect } from "effect"
import { Command } from "effect/cli"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { printList } from "../../terminal/printList.ts"
import { lookedUp, vendorFlag } from "./lookup.ts"
import { contractMeant, currencyFlag, symbolArgument } from "./named.ts"

const flags = { symbol: symbolArgument, currency: currencyFlag, vendor: vendorFlag }

const chain = Effect.fn("tapestry ibkr chain")(
  function* ({ currency, symbol, vendor }: Command.Command.Config.Infer<typeof flags>) {
    const named = yield* contractMeant(symbol, currency)
    const [{ chainRequest, contractRequest }, { decodeChains, decodeContracts }] = yield* Effect.promise(() =>
      Promise.all([
        import("../../../layers/adapters/ibkr/lookups.ts"),
        import("../../../layers/adapters/ibkr/decodeLookups.ts")
      ])
    )
    const [underlying, ...others] = yield* lookedUp(vendor, contractRequest(named.contract), decodeContracts)
    if (underlying === undefined || others.length > 0) {
      return yield* new UsageError({ message: `${symbol} is ${others.length + 1} contracts; say which one` })
    }
    yield* printList({
      name: "chains",
      items: yield* lookedUp(
        vendor,
        chainRequest(underlying.symbol, underlying.secType, underlying.conId),
        decodeChains
      ),
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
        one.multiplier,
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
