import { Command } from "effect/cli"
import * as describe from "./vendors/describe.ts"
import * as list from "./vendors/list.ts"
import * as ping from "./vendors/ping.ts"

export const command = Command.make("vendors").pipe(
  Command.withDescription("Where data can come from."),
  Command.withSubcommands([list.command, describe.command, ping.command])
)
