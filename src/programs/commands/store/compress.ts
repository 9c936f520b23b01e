import { Command } from "effect/cli"
import * as remove from "./compress/remove.ts"
import * as run from "./compress/run.ts"
import * as set from "./compress/set.ts"

export const command = Command.make("compress").pipe(
  Command.withDescription(
    "Compression of old chunks by TimescaleDB. Compressed rows are read, corrected and added to like others, in more time."
  ),
  Command.withShortDescription("Compress old chunks, now or by a policy"),
  Command.withSubcommands([set.command, remove.command, run.command])
)
