import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { counted } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"

const flags = {
  directory: Argument.String("dir").pipe(Argument.withDescription("The backup")),
  overwrite: Flag.Boolean("overwrite").pipe(
    Flag.withDescription("Replace the data directory that is there"),
    Flag.withDefault(false)
  )
}

const run = Effect.fn("tapestry restore")(function* ({
  directory,
  overwrite
}: Command.Command.Config.Infer<typeof flags>) {
  const json = yield* Json
  const { line } = yield* Output
  const { dataDir } = yield* settings
  const { restore } = yield* Effect.promise(() => import("../../layers/maintenance/restore.ts"))
  const made = yield* withProgress({ label: "restoring", units: "files", things: "files" }, ({ report }) =>
    restore({
      directory,
      dataDir: dataDir.value,
      overwrite,
      progress: (files) => report({ done: files, of: 0, count: files })
    })
  )
  if (json) return yield* line(JSON.stringify({ dataDir: dataDir.value, manifest: made }))
  yield* line(
    `restored ${dataDir.value} as of ${new Date(made.takenAt).toISOString()}, with ${counted(made.payloadFiles, "payload file")}; all of it verified`
  )
}, asCommand("restore"))

export const command = Command.make("restore", flags, run).pipe(
  Command.withDescription(
    "Put a backup back as the data directory, verified by its hashes before it appears. A data directory that is there is refused, or, with --overwrite, replaced."
  ),
  Command.withShortDescription("Put a backup back"),
  Command.withExamples([
    { command: "tapestry restore /backup/tapestry --data-dir /var/lib/tapestry", description: "Where nothing is yet" }
  ])
)
