import { Command } from "effect/cli"
import * as cat from "./archive/cat.ts"
import * as compact from "./archive/compact.ts"
import * as gc from "./archive/gc.ts"
import * as replay from "./archive/replay.ts"
import * as requests from "./archive/requests.ts"
import * as responses from "./archive/responses.ts"
import * as sessions from "./archive/sessions.ts"
import * as show from "./archive/show.ts"
import * as stats from "./archive/stats.ts"
import * as verify from "./archive/verify.ts"

export const command = Command.make("archive").pipe(
  Command.withDescription("What was asked of vendors, and the exact bytes that they answered."),
  Command.withSubcommands([
    sessions.command,
    requests.command,
    responses.command,
    show.command,
    cat.command,
    replay.command,
    verify.command,
    stats.command,
    gc.command,
    compact.command
  ])
)
