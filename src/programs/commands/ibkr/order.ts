import { Command } from "effect/cli"
import * as cancel from "./order/cancel.ts"
import * as list from "./order/list.ts"
import * as place from "./order/place.ts"

export const command = Command.make("order").pipe(
  Command.withDescription("Orders at Interactive Brokers; only where a vendor has allowOrders: true."),
  Command.withSubcommands([place.command, cancel.command, list.command])
)
