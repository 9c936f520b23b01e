import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { identityFlag, idFlag, pageFlags, pageOf } from "../../flags/PageFlags.ts"
import { requestColumns, requestDocument, requestRow } from "../../format/archiveRows.ts"
import { printList } from "../../terminal/printList.ts"
import { withData } from "../../withData.ts"

const flags = { ...pageFlags, session: idFlag("session", "Only those of this session"), identity: identityFlag }

const requests = Effect.fn("tapestry archive requests")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const page = yield* pageOf(input)
    const items = yield* withData(
      ProvenanceStore.use((archive) =>
        archive.requests({
          ...page,
          ...(Option.isSome(input.session) ? { session: input.session.value } : {}),
          ...(Option.isSome(input.identity) ? { identity: input.identity.value } : {})
        })
      )
    )
    yield* printList({
      name: "requests",
      items,
      columns: requestColumns,
      row: requestRow,
      document: requestDocument,
      none: "no requests"
    })
  },
  asCommand("archive", "requests")
)

export const command = Command.make("requests", flags, requests).pipe(
  Command.withDescription("Every call that was made, also those answered from the archive and those that failed."),
  Command.withExamples([{ command: "tapestry archive requests --session 3", description: "The calls of one session" }])
)
