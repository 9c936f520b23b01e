import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { identityFlag, idFlag, pageFlags, pageOf } from "../../flags/PageFlags.ts"
import { responseColumns, responseDocument, responseRow } from "../../format/archiveRows.ts"
import { printList } from "../../terminal/printList.ts"
import { withData } from "../../withData.ts"

const flags = { ...pageFlags, request: idFlag("request", "Only the answers to this request"), identity: identityFlag }

const responses = Effect.fn("tapestry archive responses")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const page = yield* pageOf(input)
    const items = yield* withData(
      ProvenanceStore.use((archive) =>
        archive.responses({
          ...page,
          ...(Option.isSome(input.request) ? { request: input.request.value } : {}),
          ...(Option.isSome(input.identity) ? { identity: input.identity.value } : {})
        })
      )
    )
    yield* printList({
      name: "responses",
      items,
      columns: responseColumns,
      row: responseRow,
      document: responseDocument,
      none: "no responses"
    })
  },
  asCommand("archive", "responses")
)

export const command = Command.make("responses", flags, responses).pipe(
  Command.withDescription("What vendors answered, one row an attempt, newest first."),
  Command.withExamples([
    { command: "tapestry archive responses --request 7", description: "The attempts of one request" }
  ])
)
