import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { asCommand } from "../../../failure/UsageError.ts"
import { Json } from "../../../flags/GlobalFlags.ts"
import { confirmed } from "../../../terminal/confirmed.ts"
import { Output } from "../../../terminal/Output.ts"
import { fieldLines } from "../../../terminal/printList.ts"
import { styleOf } from "../../../terminal/Style.ts"
import { vendorFlag } from "../lookup.ts"
import { orderFields, ordering, yesFlag } from "./ordering.ts"

const flags = {
  order: Argument.Int("order").pipe(Argument.withDescription("Its number, as place and list show it")),
  client: Flag.Int("client").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription("Whose number it is; the client id of the configuration unless given"),
    Flag.optional
  ),
  vendor: vendorFlag,
  yes: yesFlag
}

const cancel = Effect.fn("tapestry ibkr order cancel")(
  function* ({ client: whose, order, vendor, yes }: Command.Command.Config.Infer<typeof flags>) {
    const client = Option.getOrNull(whose)
    yield* confirmed(`cancel order ${order}${client === null ? "" : ` of client ${client}`}`, yes)
    const receipt = yield* ordering(
      vendor,
      (orders, name) => orders.cancel(name, order, client),
      (rpc, name) => rpc["Orders.cancel"]({ vendor: name, order, client })
    )
    const { line, lines, terminal } = yield* Output
    if (yield* Json) return yield* line(JSON.stringify(receipt))
    yield* lines(fieldLines(orderFields(receipt.state), styleOf(terminal).dim))
  },
  asCommand("ibkr", "order", "cancel")
)

export const command = Command.make("cancel", flags, cancel).pipe(
  Command.withDescription(
    "Cancel an order by its number, and wait for what the gateway says of it. Only the client that placed an order can; what was filled by then stays."
  ),
  Command.withShortDescription("Cancel an order"),
  Command.withExamples([{ command: "tapestry ibkr order cancel 17" }])
)
