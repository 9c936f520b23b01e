import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Ended } from "../../failure/Ended.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { reportDocument, reportLines } from "../../format/exportText.ts"
import { holdsData } from "../../holdsData.ts"
import { settings } from "../../Settings.ts"
import { Output } from "../../terminal/Output.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { styleOf } from "../../terminal/Style.ts"
import { withData } from "../../withData.ts"

const flags = {
  directory: Argument.String("dir").pipe(Argument.withDescription("The directory of the export")),
  withoutArchive: Flag.Boolean("without-archive").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Check the export by itself, also where there is an archive"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const loadVerify = Effect.promise(() =>
  Promise.all([import("../../../layers/export/verifyExport.ts"), import("../../../layers/export/ArchiveCheck.ts")])
)

const verify = Effect.fn("tapestry export verify")(
  function* ({ directory, withoutArchive }: Input) {
    const json = yield* Json
    const { line, lines, terminal } = yield* Output
    const [{ verifyExport }, ArchiveCheck] = yield* loadVerify
    const { dataDir } = yield* settings
    const atHand = !withoutArchive && (yield* holdsData(dataDir.value))
    const report = yield* withProgress({ label: "verifying", units: "rows", things: "rows" }, (bar) => {
      const progress = (rows: number, of: number) => bar.report({ done: rows, of, count: rows })
      return atHand
        ? withData(Effect.flatMap(ArchiveCheck.make, (against) => verifyExport({ directory, against, progress })))
        : verifyExport({ directory, against: null, progress })
    })
    yield* json
      ? line(JSON.stringify(reportDocument(report)))
      : lines(reportLines(report, dataDir.value, styleOf(terminal)))
    if (report.problems.length > 0) return yield* new Ended({ code: 1 })
  },
  asCommand("export", "verify")
)

export const command = Command.make("verify", flags, verify).pipe(
  Command.withDescription(
    "Check an export: every byte of its files, its rows, their order and their hash, its coverage. Where the data directory holds an archive, also each answer that the rows came from, whose bytes are decoded again. What is wrong is named by file and row; the command then ends with 1."
  ),
  Command.withShortDescription("Check an export, with the archive where there is one"),
  Command.withExamples([
    {
      command: "tapestry export verify spx",
      description: "Against the archive of the data directory, if there is one"
    },
    { command: "tapestry export verify spx --without-archive --json", description: "By itself, for a program" }
  ])
)
