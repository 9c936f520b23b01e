import { Command } from "effect/cli"
import * as get from "./config/get.ts"
import * as list from "./config/list.ts"
import * as set from "./config/set.ts"
import * as unset from "./config/unset.ts"

export const command = Command.make("config").pipe(
  Command.withDescription("Values that a tenant keeps in the store, for whoever works with its rows: JSON by key."),
  Command.withSubcommands([list.command, get.command, set.command, unset.command])
)
