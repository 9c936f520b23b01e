/** `tapestry dump all`: rows of every kind, a file each. */
import { Effect, FileSystem, Option, Path, Ref, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { wordsOf } from "../../../layers/platformWords.ts"
import { Ended } from "../../failure/Ended.ts"
import { asCommand, UsageError } from "../../failure/UsageError.ts"
import { Json } from "../../flags/GlobalFlags.ts"
import { kindNames, kindOf } from "../../flags/KindArgument.ts"
import { counted } from "../../format/Numbers.ts"
import { settings } from "../../Settings.ts"
import { FileNotWritten } from "../../terminal/AtomicFile.ts"
import { Output } from "../../terminal/Output.ts"
import { withData } from "../../withData.ts"
import { selected, selectionFlags, spanOf } from "../export/selection.ts"
import { formatOf, writeStreamed } from "../export/streamed.ts"
import { symbolFlag } from "./symbolFlag.ts"
import { fileOf, type Meant, parseTemplate } from "./Template.ts"
import { templateArgument } from "./templateArgument.ts"

const flags = {
  template: templateArgument,
  symbol: symbolFlag,
  ...selectionFlags,
  only: Flag.String("only").pipe(
    Flag.withMetavar("KIND,..."),
    Flag.withDescription(`Only of these kinds: ${kindNames.join(", ")}`),
    Flag.optional
  ),
  skipExisting: Flag.Boolean("skip-existing").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Leave files that are there: to go on where a dump has ended"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const kindsOf = ({ only }: Input) =>
  Option.isNone(only)
    ? Effect.succeed(kindNames)
    : Effect.forEach(only.value.split(","), (name) => Effect.as(kindOf(name.trim()), name.trim()))

const meantBy = Effect.fnUntraced(function* (input: Input) {
  const { config } = yield* settings
  const meant: Meant = {
    tenant: config.tenant,
    vendor: Option.getOrUndefined(input.vendor),
    symbol: Option.getOrUndefined(input.symbol),
    timeframe: Option.getOrUndefined(input.timeframe),
    from: Option.getOrUndefined(input.from),
    to: Option.getOrUndefined(input.to)
  }
  return meant
})

interface Dumped {
  readonly kind: string
  readonly file: string
  /** Null where the file was there, and left. */
  readonly rows: number | null
}

const dumpAll = Effect.fn("tapestry dump all")(
  function* (input: Input) {
    const { line, note } = yield* Output
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const template = parseTemplate(input.template)
    if (Result.isFailure(template)) return yield* new UsageError({ message: template.failure })
    const range = yield* spanOf(input)
    const meant = yield* meantBy(input)
    const kinds = yield* kindsOf(input)
    const done = yield* Ref.make<ReadonlyArray<Dumped>>([])
    const one = Effect.fnUntraced(function* (name: string) {
      const kind = yield* kindOf(name)
      const series = selected({
        kind,
        vendor: meant.vendor,
        timeframe: Option.getOrUndefined(input.timeframe),
        symbols: Option.toArray(input.symbol)
      })
      if ((yield* withData(series)).length === 0) return
      const file = fileOf(template.success, name, meant)
      const there = yield* Effect.orElseSucceed(fs.exists(file), () => false)
      if (there && input.skipExisting) {
        yield* note(`${file} is there, and stays as it is`)
        return yield* Ref.update(done, (before) => [...before, { kind: name, file, rows: null }])
      }
      yield* Effect.mapError(
        fs.makeDirectory(path.dirname(file), { recursive: true }),
        (error) => new FileNotWritten({ message: `${path.dirname(file)} cannot be made: ${wordsOf(error)}` })
      )
      const rows = yield* writeStreamed({ kind, series, range, asOf: input.asOf, format: formatOf(file), out: file })
      yield* Ref.update(done, (before) => [...before, { kind: name, file, rows }])
    })
    yield* Effect.forEach(kinds, one, { discard: true }).pipe(
      Effect.onError(() =>
        Effect.flatMap(Ref.get(done), (files) =>
          files.length === 0
            ? Effect.void
            : note(
                `${files.map(({ file }) => file).join(", ")} ${files.length === 1 ? "is" : "are"} complete; the same command with --skip-existing goes on from there`
              )
        )
      )
    )
    const files = yield* Ref.get(done)
    if (yield* Json) yield* line(JSON.stringify({ files }))
    else yield* line(`${counted(files.length, "file")} for ${files.map(({ kind }) => kind).join(", ") || "no kind"}`)
    if (files.length > 0) return
    yield* note("nothing is stored that is meant; 'tapestry series list' shows what is there")
    return yield* new Ended({ code: 1 })
  },
  asCommand("dump", "all")
)

export const command = Command.make("all", flags, dumpAll).pipe(
  Command.withDescription(
    "Rows of every kind that is stored, each kind in a file named by a template; directories are made. {kind} (or {table}) must be in it; {tenant}, {vendor}, {symbol}, {timeframe}, {from} and {to} (or {start} and {end}) stand for what was asked for: ALL, MIN and MAX where nothing was. Files that end in .gz or .zst are packed, those in .csv and .arrow are of that format. Each file appears when it is complete, in place of one that is there. 'tapestry restore all' with the same template takes them back."
  ),
  Command.withShortDescription("Rows of every kind, a file each, named by a template"),
  Command.withExamples([
    { command: "tapestry dump all 'backup/{tenant}/{kind}.ndjson.zst'", description: "Everything of a tenant" },
    {
      command:
        "tapestry dump all 'day/{table}-{vendor}-{symbol}-{start}-{end}.ndjson.gz' --from 2026-06-19 --to 2026-06-20",
      description: "A day, in files that are called as market-data-store's are"
    }
  ])
)
