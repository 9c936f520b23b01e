import { Command } from "effect/cli"
import * as remove from "./retention/remove.ts"
import * as run from "./retention/run.ts"
import * as set from "./retention/set.ts"

export const command = Command.make("retention").pipe(
  Command.withDescription(
    "Which rows go when they are old. What is dropped counts as missing, also as of any instant: who asks for it again has the vendor asked. The archive keeps every answer, and a rebuild brings the rows back."
  ),
  Command.withShortDescription("Drop old rows, now or by a policy"),
  Command.withSubcommands([set.command, remove.command, run.command])
)
