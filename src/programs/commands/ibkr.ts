import { Command } from "effect/cli"
import * as status from "./ibkr/status.ts"

export const command = Command.make("ibkr").pipe(
  Command.withDescription("The gateway of Interactive Brokers: TWS or an IB Gateway that runs somewhere."),
  Command.withSubcommands([status.command])
)
