import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import manifest from "../../../package.json" with { type: "json" }
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { bytes, counted } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"

const flags = {
  directory: Argument.String("dir").pipe(
    Argument.withDescription("Where to: an empty directory, or an earlier backup, of which only what is new is copied")
  )
}

const run = Effect.fn("tapestry backup")(function* ({ directory }: Command.Command.Config.Infer<typeof flags>) {
  const json = yield* Json
  const { line } = yield* Output
  const { dataDir } = yield* settings
  const { backup } = yield* Effect.promise(() => import("../../layers/maintenance/backup.ts"))
  const made = yield* withProgress({ label: "backing up", units: "files", things: "files" }, ({ report }) =>
    backup({
      dataDir: dataDir.value,
      directory,
      product: manifest.version,
      progress: (files) => report({ done: files, of: 0, count: files })
    })
  )
  if (json) return yield* line(JSON.stringify(made))
  const size = made.databases.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  yield* line(
    `backed ${dataDir.value} up to ${directory}: ${counted(made.databases.length, "database")} of ${bytes(size)}, ${counted(made.payloadFiles, "payload file")} of ${bytes(made.payloadFileBytes)}`
  )
}, asCommand("backup"))

export const command = Command.make("backup", flags, run).pipe(
  Command.withDescription(
    "Copy the data directory while it is in use, as of one instant. Into an earlier backup it copies only what is new; what is there is whole at any time."
  ),
  Command.withExamples([
    { command: "tapestry backup /backup/tapestry", description: "Every night, into the same directory" }
  ])
)
