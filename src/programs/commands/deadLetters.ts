import { Command } from "effect/cli"
import * as list from "./dead-letters/list.ts"
import * as replay from "./dead-letters/replay.ts"

export const command = Command.make("dead-letters").pipe(
  Command.withDescription("Rows that a batch processor could not commit, as it wrote them to its file."),
  Command.withSubcommands([list.command, replay.command])
)
