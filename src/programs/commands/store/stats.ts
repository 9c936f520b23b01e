import { Effect, Stream } from "effect"
import { Command } from "effect/cli"
import type { StoreUpkeep } from "../../../layers/market/upkeep/StoreUpkeep.ts"
import { seriesOf, sizesOf } from "../../../layers/market/upkeep/storeStatus.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { sharesOf, statsLines } from "../../format/StoreLines.ts"
import { Output } from "../../terminal/Output.ts"
import { styleOf } from "../../terminal/Style.ts"
import { nothingYet, withUpkeep } from "../../withUpkeep.ts"

const statsOf = Effect.fnUntraced(function* (upkeep: StoreUpkeep) {
  const sizes = yield* sizesOf(upkeep)
  return { ...sizes, series: sharesOf(yield* Stream.runCollect(seriesOf(upkeep)), sizes.tables) }
})

const stats = Effect.fn("tapestry store stats")(
  function* () {
    const json = yield* Json
    const { line, lines, terminal } = yield* Output
    const found = yield* withUpkeep({ readonly: true }, (upkeep) =>
      upkeep === null ? Effect.succeed(null) : statsOf(upkeep)
    )
    if (found === null) {
      return yield* line(
        json ? JSON.stringify({ store: "sqlite", where: null, bytes: 0, tables: [], series: [] }) : yield* nothingYet
      )
    }
    yield* json ? line(JSON.stringify(found)) : lines(statsLines(found, styleOf(terminal)))
  },
  asCommand("store", "stats")
)

export const command = Command.make("stats", {}, stats).pipe(
  Command.withDescription(
    "How large the tables of the store are, and of each series its rows, revisions, answers, intervals of coverage, and about how much room its rows take. Of an embedded store every page is looked at."
  ),
  Command.withShortDescription("How large the tables and the series are"),
  Command.withExamples([{ command: "tapestry store stats" }])
)
