/** `tapestry restore all`: the files of a `dump all`, one after the other. */
import { Effect, FileSystem, Option, Path, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { wordsOf } from "../../../layers/platformWords.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { kindNames } from "../../flags/KindArgument.ts"
import { importDocument, importLines } from "../../format/ImportLines.ts"
import { counted } from "../../format/Numbers.ts"
import { Output } from "../../terminal/Output.ts"
import { styleOf } from "../../terminal/Style.ts"
import { parseTemplate, patternOf, rootOf, type Template } from "../dump/Template.ts"
import { templateArgument } from "../dump/templateArgument.ts"
import { takeFile } from "../ingest.ts"

const flags = {
  template: templateArgument,
  failFast: Flag.Boolean("fail-fast").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Stop at the first row that cannot be accepted"),
    Flag.withDefault(false)
  )
}

/** Files of the template, with the kind of each, in the order of the kinds and of their names. */
const filesOf = Effect.fnUntraced(function* (template: Template) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = rootOf(template)
  const found = yield* Effect.mapError(
    fs.readDirectory(root, { recursive: true }),
    (error) => new UsageError({ message: `${root} cannot be read: ${wordsOf(error)}` })
  )
  const names = found.map((name) => path.join(root, name)).sort()
  return kindNames.flatMap((kind) => {
    const pattern = patternOf(template, kind)
    return names.filter((name) => pattern.test(name)).map((file) => ({ kind, file }))
  })
})

/** All that a dump says of its rows stands in them. */
const plain = {
  format: Option.none<"ndjson" | "csv" | "arrow">(),
  vendor: Option.none(),
  symbol: Option.none(),
  timeframe: Option.none(),
  price: Option.none(),
  session: Option.none(),
  adjustment: Option.none(),
  currency: Option.none(),
  dataset: Option.none(),
  name: Option.none(),
  symbolCase: "exact",
  nulls: "overwrite",
  nullToken: "",
  delimiter: ",",
  assumeUtc: false,
  ignoreUnknown: false,
  maxErrors: Option.none(),
  rejects: Option.none(),
  writeMode: Option.none()
} as const

const restoreAll = Effect.fn("tapestry restore all")(
  function* ({ failFast, template: text }: Command.Command.Config.Infer<typeof flags>) {
    const json = yield* Json
    const { line, lines, note, terminal } = yield* Output
    const path = yield* Path.Path
    const template = Result.map(parseTemplate(text), (parts) =>
      // As paths are written when they are joined.
      parts.map((part, index) => (index === 0 && typeof part === "string" ? part.replace(/^(\.\/+)+/, "") : part))
    )
    if (Result.isFailure(template)) return yield* new UsageError({ message: template.failure })
    const files = yield* filesOf(template.success)
    if (files.length === 0) {
      return yield* new UsageError({
        message: `there is no file ${text} of any kind below ${path.resolve(rootOf(template.success))}`
      })
    }
    const documents: Array<object> = []
    let rejected = 0
    for (const [index, { file, kind }] of files.entries()) {
      const taken = yield* takeFile({ ...plain, kind, file, failFast }).pipe(
        Effect.onError(() =>
          note(
            `${file} is not restored whole, ${counted(files.length - index - 1, "file")} behind it not at all; with that put right the same command goes on from there`
          )
        )
      )
      const { elapsed, rejectFile, spec, tally } = taken
      rejected += tally.rejected
      if (json) documents.push({ file, ...importDocument(spec, tally, rejectFile, elapsed) })
      else yield* lines(importLines(spec, tally, elapsed, styleOf(terminal)))
    }
    if (json) yield* line(JSON.stringify({ files: documents }))
    if (rejected > 0) return yield* new Ended({ code: 3 })
  },
  asCommand("restore", "all")
)

export const command = Command.make("all", flags, restoreAll).pipe(
  Command.withDescription(
    "Take the files of 'tapestry dump all', named by the same template, into the store, one after the other. Each is taken as 'tapestry ingest' takes it: it can be broken off and run again, and what is there is not written twice. A backup in a directory called all is ./all."
  ),
  Command.withShortDescription("The files of 'tapestry dump all'"),
  Command.withExamples([{ command: "tapestry restore all 'backup/acme/{kind}.ndjson.zst' --tenant acme" }])
)
