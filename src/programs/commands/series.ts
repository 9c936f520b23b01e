import { Command } from "effect/cli"
import * as forget from "./series/forget.ts"
import * as list from "./series/list.ts"

export const command = Command.make("series").pipe(
  Command.withDescription("What the store holds."),
  Command.withSubcommands([list.command, forget.command])
)
