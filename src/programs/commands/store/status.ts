import { Effect } from "effect"
import { Command } from "effect/cli"
import { statusOf } from "../../../layers/market/upkeep/storeStatus.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { statusLines } from "../../format/StoreLines.ts"
import { Output } from "../../terminal/Output.ts"
import { styleOf } from "../../terminal/Style.ts"
import { nothingYet, withUpkeep } from "../../withUpkeep.ts"

const status = Effect.fn("tapestry store status")(
  function* () {
    const json = yield* Json
    const { line, lines, terminal } = yield* Output
    const found = yield* withUpkeep({ readonly: true }, (upkeep) =>
      upkeep === null ? Effect.succeed(null) : statusOf(upkeep)
    )
    if (found === null) {
      return yield* line(json ? JSON.stringify({ store: "sqlite", where: null, state: "absent" }) : yield* nothingYet)
    }
    yield* json ? line(JSON.stringify(found)) : lines(statusLines(found, styleOf(terminal)))
    if (found.state === "newer" || found.state === "foreign" || found.state === "unrecorded") {
      return yield* new Ended({ code: 1 })
    }
  },
  asCommand("store", "status")
)

export const command = Command.make("status", {}, status).pipe(
  Command.withDescription(
    "Where the store is, its schema version and this release's, the migrations that are pending or that differ, its size, its rows by kind, and with TimescaleDB its hypertables and policies. Ends with 1 where this release cannot use it."
  ),
  Command.withShortDescription("Where the store is, its schema, its size, its rows by kind"),
  Command.withExamples([
    { command: "tapestry store status" },
    {
      command: "tapestry store status --store postgres://tapestry@db.example/tapestry --json",
      description: "Of a database"
    }
  ])
)
