import { Command } from "effect/cli"
import * as aggregates from "./store/aggregates.ts"
import * as compress from "./store/compress.ts"
import * as config from "./store/config.ts"
import * as migrate from "./store/migrate.ts"
import * as ping from "./store/ping.ts"
import * as policies from "./store/policies.ts"
import * as retention from "./store/retention.ts"
import * as seed from "./store/seed.ts"
import * as stamp from "./store/stamp.ts"
import * as stats from "./store/stats.ts"
import * as status from "./store/status.ts"
import * as version from "./store/version.ts"

export const command = Command.make("store").pipe(
  Command.withDescription("The market store itself: where it is, which schema it has, how large it is."),
  Command.withSubcommands([
    status.command,
    ping.command,
    version.command,
    migrate.command,
    stamp.command,
    seed.command,
    stats.command,
    policies.command,
    compress.command,
    retention.command,
    aggregates.command,
    config.command
  ])
)
