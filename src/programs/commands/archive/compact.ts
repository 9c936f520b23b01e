import { Effect } from "effect"
import { Command } from "effect/cli"
import { Maintenance } from "../../../services/Maintenance.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { compactLines } from "../../format/UpkeepLines.ts"
import { Output } from "../../terminal/Output.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { withCache } from "../../withData.ts"

const compact = Effect.fn("tapestry archive compact")(
  function* () {
    const json = yield* Json
    const { line, lines } = yield* Output
    const report = yield* withProgress({ label: "compacting", units: "payloads", things: "done" }, (progress) =>
      withCache(
        Maintenance.use((maintenance) =>
          maintenance.compact(({ done, of }) => progress.report({ done, of, count: done }))
        )
      )
    )
    yield* json ? line(JSON.stringify(report)) : lines(compactLines(report))
    if (report.damaged > 0) return yield* new Ended({ code: 1 })
  },
  asCommand("archive", "compact")
)

export const command = Command.make("compact", {}, compact).pipe(
  Command.withDescription(
    "Compress payloads that were archived as they came, and give free space back to the disk, while the owner goes on with its work. May be broken off and run again; ends with 1 when it met a damaged payload."
  ),
  Command.withShortDescription("Compress what was archived as it came"),
  Command.withExamples([{ command: "tapestry archive compact", description: "Once, after an upgrade" }])
)
