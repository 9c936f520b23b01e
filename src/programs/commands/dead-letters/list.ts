import { Effect, FileSystem, Result, Stream } from "effect"
import { Command } from "effect/cli"
import { asCommand } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { counted, grouped } from "../../format/Numbers.ts"
import { headerLine, layoutOf, measure, rowLine } from "../../format/Table.ts"
import { Output } from "../../terminal/Output.ts"
import { oneLine } from "../../terminal/Style.ts"
import { fileArgument, partsOf } from "./fileArgument.ts"

const flags = { file: fileArgument }

interface Group {
  readonly kind: string
  readonly reason: string
  readonly first: string
  letters: number
  last: string
}

const columns = [
  { header: "kind", align: "left" },
  { header: "letters", align: "right" },
  { header: "first", align: "left" },
  { header: "last", align: "left" },
  { header: "reason", align: "left" }
] as const

/** Beyond so many a reason is told with those like it: there is one for each row where it names the row. */
const mostGroups = 1_000
const others = "(other reasons)"

const loadLetter = Effect.promise(() => import("../../../layers/batch/DeadLetter.ts"))

const list = Effect.fn("tapestry dead-letters list")(
  function* ({ file }: Command.Command.Config.Infer<typeof flags>) {
    const json = yield* Json
    const { line, lines, note } = yield* Output
    const parts = yield* partsOf(file)
    const { decodeLetter } = yield* loadLetter
    const fs = yield* FileSystem.FileSystem
    const groups = new Map<string, Group>()
    let strange = 0
    const tell = (text: string) => {
      if (text === "") return
      const read = decodeLetter(text)
      if (Result.isFailure(read)) {
        strange++
        return
      }
      const { at, kind, reason: given } = read.success
      const reason = groups.has(`${kind} ${given}`) || groups.size < mostGroups ? given : others
      const known = groups.get(`${kind} ${reason}`) ?? { kind, reason, first: at, letters: 0, last: at }
      groups.set(`${kind} ${reason}`, known)
      known.letters++
      known.last = at
    }
    for (const part of parts) {
      yield* fs.stream(part).pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.runForEachArray((texts) => Effect.sync(() => texts.forEach(tell)))
      )
    }
    const found = [...groups.values()].sort((a, b) => b.letters - a.letters)
    if (json) {
      yield* Effect.forEach(found, (group) => line(JSON.stringify(group)), { discard: true })
    } else {
      const layout = layoutOf(columns)
      const cells = found.map(({ first, kind, last, letters, reason }) =>
        [kind, grouped(letters), first, last, reason].map(oneLine)
      )
      for (const row of cells) measure(layout, row)
      yield* cells.length === 0
        ? line("no letters")
        : lines([headerLine(layout), ...cells.map((row) => rowLine(layout, row))])
    }
    if (strange > 0) yield* note(`${counted(strange, "line")} of ${file} could not be read as dead letters`)
    if (parts.length > 1 || parts[0] !== file) yield* note("a replay of this file broke off; run it again")
  },
  asCommand("dead-letters", "list")
)

export const command = Command.make("list", flags, list).pipe(
  Command.withDescription(
    "How many letters there are of each kind and reason, and when the first and the last were given up."
  ),
  Command.withShortDescription("Count dead letters by kind and reason"),
  Command.withExamples([{ command: "tapestry dead-letters list dead-letters.ndjson" }])
)
