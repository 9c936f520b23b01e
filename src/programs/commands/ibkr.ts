import { Command } from "effect/cli"
import * as chain from "./ibkr/chain.ts"
import * as contract from "./ibkr/contract.ts"
import * as first from "./ibkr/first.ts"
import * as order from "./ibkr/order.ts"
import * as search from "./ibkr/search.ts"
import * as status from "./ibkr/status.ts"

export const command = Command.make("ibkr").pipe(
  Command.withDescription("The gateway of Interactive Brokers: TWS or an IB Gateway that runs somewhere."),
  Command.withSubcommands([
    status.command,
    contract.command,
    search.command,
    chain.command,
    first.command,
    order.command
  ])
)
