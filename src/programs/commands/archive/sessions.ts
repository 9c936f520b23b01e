import { Effect } from "effect"
import { Command } from "effect/cli"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { pageFlags, pageOf } from "../../flags/PageFlags.ts"
import { sessionColumns, sessionDocument, sessionRow } from "../../format/archiveRows.ts"
import { printList } from "../../terminal/printList.ts"
import { withData } from "../../withData.ts"

const sessions = Effect.fn("tapestry archive sessions")(
  function* (input: Command.Command.Config.Infer<typeof pageFlags>) {
    const page = yield* pageOf(input)
    const items = yield* withData(ProvenanceStore.use((archive) => archive.sessions(page)))
    yield* printList({
      name: "sessions",
      items,
      columns: sessionColumns,
      row: sessionRow,
      document: sessionDocument,
      none: "no sessions"
    })
  },
  asCommand("archive", "sessions")
)

export const command = Command.make("sessions", pageFlags, sessions).pipe(
  Command.withDescription("The audited runs against vendors, newest first, with how each ended."),
  Command.withExamples([{ command: "tapestry archive sessions --limit 5", description: "The last five" }])
)
