import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { NewOrder } from "../../../../domain/Order.ts"
import { Ended } from "../../../failure/Ended.ts"
import { asCommand, UsageError } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { confirmed } from "../../../terminal/confirmed.ts"
import { Output } from "../../../terminal/Output.ts"
import { fieldLines } from "../../../terminal/printList.ts"
import { styleOf } from "../../../terminal/Style.ts"
import { vendorFlag } from "../lookup.ts"
import { currencyFlag, symbolArgument } from "../named.ts"
import { isDead, orderFields, ordering, yesFlag } from "./ordering.ts"

const flags = {
  symbol: symbolArgument,
  side: Flag.Literals("side", ["buy", "sell"]).pipe(Flag.withDescription("buy or sell")),
  quantity: Flag.Finite("quantity").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How many shares or contracts, or how much of the base currency"),
    Flag.filter(
      (quantity) => quantity > 0,
      () => "more than 0"
    )
  ),
  limit: Flag.Finite("limit").pipe(
    Flag.withMetavar("PRICE"),
    Flag.withDescription("At this price or better"),
    Flag.optional
  ),
  market: Flag.Boolean("market").pipe(Flag.withDescription("At whatever the market gives"), Flag.withDefault(false)),
  timeInForce: Flag.Literals("tif", ["day", "gtc"]).pipe(
    Flag.withDescription("Until the end of the day of trade, or until it is cancelled (default day)"),
    Flag.withDefault("day" as const)
  ),
  account: Flag.String("account").pipe(
    Flag.withMetavar("ACCOUNT"),
    Flag.withDescription("Whose order; needed where the login has several accounts"),
    Flag.optional
  ),
  key: Flag.String("key").pipe(
    Flag.withMetavar("KEY"),
    Flag.withDescription(
      "What the order is called for good: of a second one under it nothing is sent. A new one is made unless given"
    ),
    Flag.optional
  ),
  currency: currencyFlag,
  vendor: vendorFlag,
  yes: yesFlag
}

const inWords = ({ account, limit, quantity, side, symbol, timeInForce }: NewOrder): string =>
  `${side} ${quantity} ${symbol} ${limit === null ? "at market" : `at ${limit} or better`}, ${
    timeInForce === "day" ? "for the day" : "until cancelled"
  }${account === null ? "" : `, for ${account}`}`

const place = Effect.fn("tapestry ibkr order place")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    if (input.market === Option.isSome(input.limit)) {
      return yield* new UsageError({ message: "say --limit PRICE or --market, one of the two" })
    }
    const order: NewOrder = {
      symbol: input.symbol,
      currency: Option.getOrNull(input.currency),
      side: input.side,
      quantity: input.quantity,
      limit: Option.getOrNull(input.limit),
      timeInForce: input.timeInForce,
      account: Option.getOrNull(input.account)
    }
    // Before anything is asked of anybody: the work may be done again when an owner goes away, under this key.
    const key = Option.getOrElse(input.key, () => globalThis.crypto.randomUUID())
    yield* confirmed(`${inWords(order)} (key ${key})`, input.yes)
    const receipt = yield* ordering(
      input.vendor,
      (orders, vendor) => orders.place(vendor, key, order),
      (client, vendor) => client["Orders.place"]({ vendor, key, order })
    )
    const { line, lines, terminal } = yield* Output
    if (yield* Json) yield* line(JSON.stringify(receipt))
    else {
      const archived = ["archived", `request ${receipt.request}, response ${receipt.response}`] as const
      yield* lines(fieldLines([...orderFields(receipt.state), archived], styleOf(terminal).dim))
    }
    if (isDead(receipt.state)) return yield* new Ended({ code: 1 })
  },
  asCommand("ibkr", "order", "place")
)

export const command = Command.make("place", flags, place).pipe(
  Command.withDescription(
    "Place an order and wait for what the gateway says of it. Only where the vendor has allowOrders: true. It is sent once: no failure, retry or reconnect sends it again. Where it is not known what came of it, the message says so: look at `tapestry ibkr order list` before anything else."
  ),
  Command.withShortDescription("Place an order"),
  Command.withExamples([
    { command: "tapestry ibkr order place AAPL --side buy --quantity 100 --limit 187.5" },
    { command: "tapestry ibkr order place EUR.USD --side sell --quantity 20000 --market --key hedge-17 --yes" }
  ])
)
