import { Command } from "effect/cli"
import * as add from "./aggregates/add.ts"
import * as refresh from "./aggregates/refresh.ts"
import * as remove from "./aggregates/remove.ts"

export const command = Command.make("aggregates").pipe(
  Command.withDescription(
    "Longer bars that TimescaleDB makes of the stored bars of a minute. They answer where nothing of the vendor's own is to be had, and say so."
  ),
  Command.withShortDescription("Longer bars made of stored bars of a minute"),
  Command.withSubcommands([add.command, remove.command, refresh.command])
)
