import { Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import {
  ProvenanceStore,
  type ProvenanceStoreError,
  type ReplayedResponse,
  type ReplayOf,
  type ReplayOptions
} from "../../../services/ProvenanceStore.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { instantFlag } from "../../flags/RangeFlags.ts"
import { responseDocument } from "../../format/archiveRows.ts"
import { counted } from "../../format/Numbers.ts"
import { type ReplayTable, replayTable } from "../../format/ReplayTable.ts"
import { Output } from "../../terminal/Output.ts"
import { styleOf } from "../../terminal/Style.ts"
import { withData } from "../../withData.ts"
import * as ReplayedBytes from "./replayedBytes.ts"

const flags = {
  what: Argument.String("request").pipe(
    Argument.withDescription("A request's id, or the sha256 of what it asks; with --kind session a session's id")
  ),
  kind: Flag.Literals("kind", ["request", "session"]).pipe(
    Flag.withDescription("What the id is of (default request)"),
    Flag.withDefault("request" as const)
  ),
  asOf: instantFlag("as-of", "Only what had been fetched by then").pipe(Flag.optional),
  withBytes: Flag.Boolean("with-bytes").pipe(
    Flag.withDescription("Only responses of which bytes came"),
    Flag.withDefault(false)
  ),
  out: Flag.String("out").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Write the bytes of each response to a file of its own there"),
    Flag.optional
  ),
  cat: Flag.Boolean("cat").pipe(
    Flag.withDescription("Write the bytes to standard output, one response after the other, and nothing else"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const ofInput = ({ kind, what }: Input): Effect.Effect<ReplayOf, UsageError> => {
  if (/^\d{1,15}$/.test(what)) {
    return Effect.succeed({ _tag: kind === "session" ? "Session" : "Request", id: Number(what) })
  }
  if (kind === "request" && /^[0-9a-f]{64}$/i.test(what))
    return Effect.succeed({ _tag: "Identity", sha256: what.toLowerCase() })
  const expected = kind === "session" ? "a session's id" : "a request's id or a sha256 of 64 hex digits"
  return Effect.fail(new UsageError({ message: `${what}: expected ${expected}` }))
}

const optionsOf = Effect.fnUntraced(function* (input: Input) {
  const json = yield* Json
  if (input.cat && Option.isSome(input.out)) {
    return yield* new UsageError({ message: "--cat writes to standard output and --out to files: give one of them" })
  }
  if (input.cat && json) {
    return yield* new UsageError({ message: "--cat writes the bytes as they are; for a document leave it away" })
  }
  const options: ReplayOptions = {
    of: yield* ofInput(input),
    ...(Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {}),
    withBytes: input.withBytes || input.cat
  }
  return options
})

interface Step extends ReplayedBytes.Written {
  readonly record: ReplayedResponse
}

const stepDocument = ({ file, problem, record: { call, response } }: Step, out: string | null) => ({
  call,
  response: responseDocument(response),
  ...(out === null ? {} : { file, problem })
})

/** Written while it goes on: a replay of any length is never in memory. */
const asJson = Effect.fnUntraced(function* <E, R>(steps: Stream.Stream<Step, E, R>, out: string | null) {
  const { write } = yield* Output
  let separator = ""
  yield* write('{"replay":[')
  yield* Stream.runForEachArray(steps, (some) => {
    const written = separator + some.map((step) => JSON.stringify(stepDocument(step, out))).join(",")
    separator = ","
    return write(written)
  })
  yield* write("]}\n")
})

const asText = Effect.fnUntraced(function* <E, R>(steps: Stream.Stream<Step, E, R>, out: string | null) {
  const { line, lines, terminal } = yield* Output
  let table: ReplayTable | null = null
  yield* Stream.runForEachArray(steps, (some) => {
    const rows = some.map(({ file, problem, record }) => ({ record, note: out === null ? null : (problem ?? file) }))
    const begun = table
    table = begun ?? replayTable(rows, out === null ? null : "file")
    return lines([...(begun === null ? [styleOf(terminal).bold(table.header)] : []), ...rows.map(table.row)])
  })
  if (table === null) yield* line("no responses")
})

const list = Effect.fnUntraced(function* (
  found: Stream.Stream<ReplayedResponse, ProvenanceStoreError>,
  out: string | null
) {
  const { note } = yield* Output
  let place = 0
  const tally = { written: 0, problems: 0 }
  const step = Effect.fnUntraced(function* (record: ReplayedResponse) {
    if (out === null) return { record, file: null, problem: null }
    const written = yield* ReplayedBytes.toFile(out, ++place, record)
    if (written.file !== null) tally.written++
    if (written.problem !== null) {
      tally.problems++
      yield* note(written.problem)
    }
    return { record, ...written }
  })
  if (out !== null) yield* ReplayedBytes.directory(out)
  const steps = Stream.mapEffect(found, step)
  yield* (yield* Json) ? asJson(steps, out) : asText(steps, out)
  if (tally.problems === 0) return
  yield* note(
    `${counted(tally.written, "file")} written; the bytes of ${counted(tally.problems, "response")} are not there`
  )
  return yield* new Ended({ code: tally.written === 0 ? 1 : 3 })
})

const replay = Effect.fn("tapestry archive replay")(
  function* (input: Input) {
    const options = yield* optionsOf(input)
    yield* withData(
      Effect.gen(function* () {
        const archive = yield* ProvenanceStore
        const found = archive.replay(options)
        yield* input.cat ? Stream.runForEach(found, ReplayedBytes.toOutput) : list(found, Option.getOrNull(input.out))
      })
    )
  },
  asCommand("archive", "replay")
)

export const command = Command.make("replay", flags, replay).pipe(
  Command.withDescription(
    "What was answered to a question, or in a session, in its order, oldest first; nobody is asked. A request's id stands for its question: every attempt at it is listed, whoever made it. Of a session, its calls in order, each with its attempts or with what the archive served it. Bytes are checked against their sha256; with --out damaged ones are named and left out, which ends with 3 (1 if there were no others), with --cat they end the command with 1."
  ),
  Command.withShortDescription("The responses to a request, or of a session, in order"),
  Command.withExamples([
    { command: "tapestry archive replay 7", description: "Every answer to what request 7 asked" },
    {
      command: "tapestry archive replay 3 --kind session --out session-3",
      description: "The bytes that a session was given, a file each"
    },
    {
      command: "tapestry archive replay 7 --as-of 2026-11-01 --cat",
      description: "The bytes that had been fetched by then, one after the other"
    }
  ])
)
