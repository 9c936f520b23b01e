import { Command } from "effect/cli"
import * as cancel from "./jobs/cancel.ts"
import * as cleanup from "./jobs/cleanup.ts"
import * as enqueue from "./jobs/enqueue.ts"
import * as list from "./jobs/list.ts"
import * as retry from "./jobs/retry.ts"
import * as show from "./jobs/show.ts"
import * as stuck from "./jobs/stuck.ts"
import * as work from "./jobs/work.ts"

export const command = Command.make("jobs").pipe(
  Command.withDescription(
    "Work that is done once, whatever becomes of the process that began it: queued, run by whoever owns the data directory, tried again when it fails."
  ),
  Command.withSubcommands([
    enqueue.command,
    list.command,
    show.command,
    cancel.command,
    retry.command,
    stuck.command,
    cleanup.command,
    work.command
  ])
)
