import { Effect, Option } from "effect"
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
    Flag.withDescription("History of what; trades unless given, and of currencies the middle"),
    Flag.optional
  ),
  vendor: vendorFlag
}

const first = Effect.fn("tapestry ibkr first")(
  function* ({ currency, price, symbol, vendor }: Command.Command.Config.Infer<typeof flags>) {
    const query = yield* contractMeant(symbol, currency)
    const asked = Option.isNone(price) ? query : { ...query, price: price.value }
    const at = iso(yield* lookedUp(vendor, (lookups, name) => lookups.first(name, asked)))
    const { line } = yield* Output
    yield* line((yield* Json) ? JSON.stringify({ ...asked, first: at }) : at)
  },
  asCommand("ibkr", "first")
)

export const command = Command.make("first", flags, first).pipe(
  Command.withDescription("The first instant of which IB has history of a contract."),
  Command.withExamples([{ command: "tapestry ibkr first AAPL" }])
)
