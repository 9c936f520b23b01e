import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { kindNames } from "../flags/KindArgument.ts"
import { counted } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { ingestRows, sourceFlags } from "./ingest.ts"
import * as all from "./restore/all.ts"

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
  const { manifest, setAside } = made
  if (json) return yield* line(JSON.stringify({ dataDir: dataDir.value, manifest, setAside }))
  yield* line(
    `restored ${dataDir.value} as of ${new Date(manifest.takenAt).toISOString()}, with ${counted(manifest.payloadFiles, "payload file")}; all of it verified`
  )
  for (const directory of setAside) {
    yield* line(
      `an earlier data directory is still in ${directory}, set aside by a restore; remove it when you need nothing of it`
    )
  }
}, asCommand("restore"))

/** `restore KIND FILE`, as market-data-store calls what is `ingest KIND FILE` here. */
const rowsOf = (kind: string) =>
  Command.make(kind, sourceFlags, (input) => asCommand("restore", kind)(ingestRows({ kind, ...input }))).pipe(
    Command.withDescription(
      `Takes rows from a file into the store: 'tapestry ingest ${kind}' under the name that market-data-store has for it. A backup in a directory of this name is ./${kind}.`
    ),
    Command.withShortDescription(`Rows of a file, as 'tapestry ingest ${kind}'`),
    Command.unlisted
  )

export const command = Command.make("restore", flags, run).pipe(
  Command.withDescription(
    `Put a backup back as the data directory, verified by its hashes before it appears. A data directory that is there is refused, or, with --overwrite, replaced. 'tapestry restore KIND FILE' is 'tapestry ingest KIND FILE' (${kindNames.join(", ")}), under the name that market-data-store has for it; a backup in a directory of such a name is written ./bars.`
  ),
  Command.withShortDescription("Put a backup back; with a kind, take rows from a file"),
  Command.withExamples([
    { command: "tapestry restore /backup/tapestry --data-dir /var/lib/tapestry", description: "Where nothing is yet" },
    { command: "zcat bars.ndjson.gz | tapestry restore bars -", description: "What 'tapestry dump bars' wrote" }
  ]),
  Command.withSubcommands([all.command, ...kindNames.map(rowsOf)])
)
