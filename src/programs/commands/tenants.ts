import { Command } from "effect/cli"
import * as add from "./tenants/add.ts"
import * as list from "./tenants/list.ts"
import * as remove from "./tenants/remove.ts"
import * as show from "./tenants/show.ts"

export const command = Command.make("tenants").pipe(
  Command.withDescription("Those who keep rows in one store and see nothing of each other's."),
  Command.withSubcommands([list.command, show.command, add.command, remove.command])
)
