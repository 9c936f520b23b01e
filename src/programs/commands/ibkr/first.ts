import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { iso } from "../../../domain/TimeRange.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { lookedUp, vendorFlag } from "./lookup.ts"
import { contractMeant, currencyFlag, symbolArgument } from "./named.ts"

const flags = {
  symbol: symbolArgument,
  currency: currencyFlag,
  price: Flag.Literals("price", ["trade", "bid", "ask", "mid"]).pipe(
    Flag.withDescription("History of what (default trade)"),
    Flag.withDefault("trade" as const)
  ),
  vendor: vendorFlag
}

const shows = { trade: "TRADES", bid: "BID", ask: "ASK", mid: "MIDPOINT" } as const

const first = Effect.fn("tapestry ibkr first")(
  function* ({ currency, price, symbol, vendor }: Command.Command.Config.Infer<typeof flags>) {
    const named = yield* contractMeant(symbol, currency)
    const [{ headRequest }, { decodeHead }] = yield* Effect.promise(() =>
      Promise.all([
        import("../../../layers/adapters/ibkr/lookups.ts"),
        import("../../../layers/adapters/ibkr/decodeLookups.ts")
      ])
    )
    const at = iso(yield* lookedUp(vendor, headRequest(named.contract, shows[price], false), decodeHead))
    const { line } = yield* Output
    yield* line((yield* Json) ? JSON.stringify({ symbol: named.symbol, price, first: at }) : at)
  },
  asCommand("ibkr", "first")
)

export const command = Command.make("first", flags, first).pipe(
  Command.withDescription("The first instant of which IB has history of a contract."),
  Command.withExamples([{ command: "tapestry ibkr first AAPL" }])
)
