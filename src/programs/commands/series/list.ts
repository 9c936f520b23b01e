import { Effect } from "effect"
import { Command } from "effect/cli"
import { canonical } from "../../../domain/SeriesKey.ts"
import { MarketStore } from "../../../services/MarketStore.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { instantOrNull } from "../../format/Documents.ts"
import { grouped } from "../../format/Numbers.ts"
import { brief } from "../../format/ZonedTime.ts"
import { printList } from "../../terminal/printList.ts"
import { withData } from "../../withData.ts"

const list = Effect.fn("tapestry series list")(
  function* () {
    yield* printList({
      name: "series",
      items: yield* withData(MarketStore.use((store) => store.series)),
      columns: [
        { header: "vendor", align: "left" },
        { header: "symbol", align: "left" },
        { header: "timeframe", align: "left" },
        { header: "rows", align: "right" },
        { header: "first (UTC)", align: "left" },
        { header: "last (UTC)", align: "left" },
        { header: "revisions", align: "right" },
        { header: "key", align: "left" }
      ],
      row: ({ series, rows, first, last, revisions }) => [
        series.vendor,
        series.symbol,
        series.timeframe ?? series.kind,
        grouped(rows),
        first === null ? "-" : brief(first),
        last === null ? "-" : brief(last),
        grouped(revisions),
        canonical(series)
      ],
      document: ({ series, rows, first, last, revisions }) => ({
        series: canonical(series),
        key: series,
        rows,
        first: instantOrNull(first),
        last: instantOrNull(last),
        revisions
      }),
      none: "no series"
    })
  },
  asCommand("series", "list")
)

export const command = Command.make("list", {}, list).pipe(
  Command.withDescription("The series of the store, with their rows, their first and last stamp and their revisions."),
  Command.withExamples([{ command: "tapestry series list" }])
)
