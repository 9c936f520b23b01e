import { Effect, Stream } from "effect"
import { Argument, Command } from "effect/cli"
import { PayloadDamaged, ProvenanceStore, ProvenanceStoreError } from "../../../services/ProvenanceStore.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { Output } from "../../terminal/Output.ts"
import { withData } from "../../withData.ts"

const flags = {
  payload: Argument.String("payload").pipe(Argument.withDescription("A response's id, or the sha256 of its bytes"))
}

const hashOf = Effect.fnUntraced(function* (name: string) {
  const archive = yield* ProvenanceStore
  if (/^[0-9a-f]{64}$/i.test(name)) return name.toLowerCase()
  const response = yield* archive.response(Number(name))
  if (response.sha256 !== null) return response.sha256
  const message = `response ${response.id} has no bytes: ${response.cause ?? "none came"}`
  return yield* new ProvenanceStoreError({ reason: new PayloadDamaged({ sha256: "", problem: "missing", message }) })
})

const cat = Effect.fn("tapestry archive cat")(
  function* (input: Command.Command.Config.Infer<typeof flags>) {
    const { write } = yield* Output
    if (yield* Json) {
      return yield* new UsageError({
        message: "cat writes the bytes as they are; for a document use archive show --json"
      })
    }
    if (!/^(\d{1,15}|[0-9a-f]{64})$/i.test(input.payload)) {
      return yield* new UsageError({
        message: `${input.payload}: expected a response's id or a sha256 of 64 hex digits`
      })
    }
    yield* withData(
      Effect.gen(function* () {
        const archive = yield* ProvenanceStore
        const payload = yield* archive.open(yield* hashOf(input.payload))
        yield* payload instanceof Uint8Array ? write(payload) : Stream.runForEach(payload.stream, write)
      })
    )
  },
  asCommand("archive", "cat")
)

export const command = Command.make("cat", flags, cat).pipe(
  Command.withDescription(
    "The exact bytes that a vendor sent, checked against their sha256, to standard output. A payload that is too large to be held is checked as it goes: where it is damaged, the command says so at its end and fails."
  ),
  Command.withExamples([
    { command: "tapestry archive cat 12 | sha256sum", description: "The bytes of response 12, hashed by someone else" }
  ])
)
