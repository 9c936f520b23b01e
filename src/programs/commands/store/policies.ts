import { Effect } from "effect"
import { Command } from "effect/cli"
import { policyReport } from "../../../layers/market/upkeep/storeStatus.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { policyLines } from "../../format/PolicyLines.ts"
import { Output } from "../../terminal/Output.ts"
import { styleOf } from "../../terminal/Style.ts"
import { nothingYet, withUpkeep } from "../../withUpkeep.ts"
import * as apply from "./policies/apply.ts"
import * as chunks from "./policies/chunks.ts"

const policies = Effect.fn("tapestry store policies")(
  function* () {
    const json = yield* Json
    const { line, lines, terminal } = yield* Output
    const found = yield* withUpkeep({ readonly: true }, (upkeep) =>
      Effect.gen(function* () {
        if (upkeep === null) return yield* nothingYet
        const store = yield* upkeep.policies
        if (typeof store === "string") return `${store}: there are no policies`
        return yield* policyReport(store)
      })
    )
    if (typeof found === "string") {
      return yield* line(
        json
          ? JSON.stringify({ timescale: null, hypertables: [], aggregates: [], policies: [], message: found })
          : found
      )
    }
    yield* json ? line(JSON.stringify(found)) : lines(policyLines(found, styleOf(terminal)))
  },
  asCommand("store", "policies")
)

export const command = Command.make("policies", {}, policies).pipe(
  Command.withDescription(
    "With TimescaleDB: the hypertables with the length of their chunks and what is compressed, and the policies that compress, drop and refresh, with their last and next runs. Without it: that there are none."
  ),
  Command.withShortDescription("Hypertables, and what TimescaleDB does to them by itself"),
  Command.withExamples([
    { command: "tapestry store policies" },
    { command: "tapestry store policies apply", description: "Make the tables hypertables" }
  ]),
  Command.withSubcommands([apply.command, chunks.command])
)
