import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import {
  requestDocument,
  requestFields,
  responseDocument,
  responseFields,
  sessionDocument,
  sessionFields
} from "../../format/archiveRows.ts"
import { Output } from "../../terminal/Output.ts"
import { fieldLines } from "../../terminal/printList.ts"
import { styleOf } from "../../terminal/Style.ts"
import { withData } from "../../withData.ts"

const flags = {
  id: Argument.Int("id").pipe(Argument.withDescription("The record's id")),
  kind: Flag.Literals("kind", ["response", "request", "session"]).pipe(
    Flag.withDescription("Which record has that id (default response)"),
    Flag.withDefault("response" as const)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const recordOf = Effect.fnUntraced(function* ({ id, kind }: Input) {
  const archive = yield* ProvenanceStore
  switch (kind) {
    case "response": {
      const response = yield* archive.response(id)
      return { fields: responseFields(response), document: { response: responseDocument(response) } }
    }
    case "request": {
      const request = yield* archive.request(id)
      return { fields: requestFields(request), document: { request: requestDocument(request) } }
    }
    case "session": {
      const session = yield* archive.session(id)
      return { fields: sessionFields(session), document: { session: sessionDocument(session) } }
    }
  }
})

const show = Effect.fn("tapestry archive show")(
  function* (input: Input) {
    const json = yield* Json
    const { line, lines, terminal } = yield* Output
    const { fields, document } = yield* withData(recordOf(input))
    yield* json ? line(JSON.stringify(document)) : lines(fieldLines(fields, styleOf(terminal).dim))
  },
  asCommand("archive", "show")
)

export const command = Command.make("show", flags, show).pipe(
  Command.withDescription("All that is recorded of one response, request or session."),
  Command.withExamples([
    { command: "tapestry archive show 12", description: "A response" },
    { command: "tapestry archive show 3 --kind session", description: "A session" }
  ])
)
