import { Effect } from "effect"
import { Command } from "effect/cli"
import { JobQueue } from "../../../services/JobQueue.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { jobDocument, jobFields, jobHoleLines, runColumns, runDocument, runRow } from "../../format/jobRows.ts"
import { render } from "../../format/Table.ts"
import { jobArgument } from "../../jobs/jobFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { fieldLines } from "../../terminal/printList.ts"
import { oneLine, styleOf } from "../../terminal/Style.ts"
import { withData } from "../../withData.ts"

const flags = { job: jobArgument }

const show = Effect.fn("tapestry jobs show")(
  function* ({ job: wanted }: Command.Command.Config.Infer<typeof flags>) {
    const { line, lines, terminal } = yield* Output
    const style = styleOf(terminal)
    const { runs, view } = yield* withData(
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const view = yield* queue.get(wanted)
        return { view, runs: yield* queue.runs(view.job.id) }
      })
    )
    if (yield* Json) {
      return yield* line(
        JSON.stringify({
          job: jobDocument(view.job),
          runs: runs.map(runDocument),
          ...(view.unknownType === true ? { unknownType: true } : {})
        })
      )
    }
    yield* lines(fieldLines(jobFields(view), style.dim))
    if (runs.length === 0) return
    const [header = "", ...rows] = render(
      runColumns,
      runs.map((run) => runRow(run).map(oneLine))
    )
    yield* lines(["", style.bold(header), ...rows, ...jobHoleLines(view).map(oneLine)])
  },
  asCommand("jobs", "show")
)

export const command = Command.make("show", flags, show).pipe(
  Command.withDescription(
    "A job with all its attempts: what it is about, how long each took, what could not be had and why."
  ),
  Command.withShortDescription("A job and its attempts"),
  Command.withExamples([{ command: "tapestry jobs show 0b5f3a0e" }])
)
