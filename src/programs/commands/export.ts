import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import manifest from "../../../package.json" with { type: "json" }
import { RangePolicy } from "../../domain/Plan.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { nothingHad } from "../failure/nothingHad.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag, rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf, titleOf } from "../flags/SeriesFlags.ts"
import { exportDocument, exportTable } from "../format/exportText.ts"
import { counted } from "../format/Numbers.ts"
import { holeLines, holesOf } from "../format/RangeLines.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { styleOf } from "../terminal/Style.ts"
import { withCache, withData } from "../withData.ts"
import * as verify from "./export/verify.ts"

const { symbol: _, ...keyFlags } = seriesFlags

const flags = {
  symbols: Argument.String("symbol").pipe(
    Argument.withDescription("The symbols, in the vendor's spelling; each gets a file"),
    Argument.variadic({ min: 1 })
  ),
  ...keyFlags,
  ...rangeFlags,
  policy: Flag.Literals("policy", RangePolicy.literals).pipe(
    Flag.withDescription("May fetch: nothing, what is missing (default), also what is not final, everything"),
    Flag.withDefault("cacheFirst" as const)
  ),
  asOf: instantFlag("as-of", "The rows as they were known then; fetches nothing").pipe(Flag.optional),
  format: Flag.Literals("format", ["csv", "ndjson", "arrow"]).pipe(
    Flag.withDescription("How rows are written: CSV (default), a JSON object a line, or an Arrow IPC file"),
    Flag.withDefault("csv" as const)
  ),
  out: Flag.String("out").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("The directory to make; it appears when it is complete")
  ),
  lineage: Flag.Boolean("lineage").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Add to each row the response it came from and its position in it"),
    Flag.withDefault(false)
  ),
  overwrite: Flag.Boolean("overwrite").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Replace the export that is there"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

// What writes exports is part of none but these commands.
const loadExport = Effect.promise(() =>
  Promise.all([import("../../layers/export/writeExport.ts"), import("../../layers/export/wholeDirectory.ts")])
)

/** Has the ranges, through the owner of the data directory where there is one; their rows stay in the store. */
const readAll = Effect.fnUntraced(function* (input: Input) {
  const range = yield* rangeOf(input, input.timeframe)
  const { note } = yield* Output
  const asOf = Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {}
  const reading = Effect.gen(function* () {
    const cache = yield* StitchingCache
    const all = yield* Effect.forEach(new Set(input.symbols), (symbol) => seriesOf({ ...input, symbol }))
    return yield* Effect.forEach(all, (series) =>
      withProgress({ label: `fetching ${titleOf(series)}`, units: "requests", things: "rows" }, ({ report }) =>
        cache.read(
          { series, range, policy: input.policy },
          { onMissing: "partial", progress: ({ done, of, rows }) => report({ done, of, count: rows }), ...asOf }
        )
      )
    ).pipe(Effect.onInterrupt(() => note("interrupted; what was fetched is kept, and the next run goes on from there")))
  })
  // What asks nobody is read beside an owner, as everything that only reads.
  return yield* input.policy === "cacheOnly" || Option.isSome(input.asOf) ? withData(reading) : withCache(reading)
})

const write = Effect.fn("tapestry export")(function* (input: Input) {
  const json = yield* Json
  const { errorTerminal, line, lines, note, terminal } = yield* Output
  if (input.out.trim() === "") return yield* new UsageError({ message: "--out is empty; name a directory" })
  const [{ writeExport }, { checkPlace }] = yield* loadExport
  yield* checkPlace(input.out, input.overwrite)
  const answers = yield* readAll(input)
  const [first] = answers
  if (first !== undefined && answers.every(({ rowCount }) => rowCount === 0)) yield* nothingHad(first)
  const of = answers.reduce((sum, { rowCount }) => sum + rowCount, 0)
  const written = yield* withProgress({ label: "exporting", units: "rows", things: "rows" }, ({ report }) =>
    withData(
      writeExport({
        answers,
        directory: input.out,
        format: input.format,
        lineage: input.lineage,
        overwrite: input.overwrite,
        product: manifest.version,
        progress: (rows) => report({ done: rows, of, count: rows }),
        ...(Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {})
      })
    )
  )
  if (json) yield* line(JSON.stringify(exportDocument(input.out, written)))
  else {
    const [header = "", ...rows] = exportTable(written)
    yield* lines([styleOf(terminal).bold(header), ...rows])
    yield* line(styleOf(terminal).dim(`Check it: tapestry export verify ${input.out}`))
  }
  const rejected = answers.reduce((sum, { rowsRejected = 0 }) => sum + rowsRejected, 0)
  if (written.complete && rejected === 0) return
  const problems = [
    ...answers.flatMap(({ coverage, series }) =>
      holeLines(holesOf(coverage)).map((text) => `${titleOf(series)}: ${text}`)
    ),
    ...(rejected === 0 ? [] : [`rejected: ${counted(rejected, "row")} that ${input.vendor} sent cannot be accepted`])
  ]
  for (const text of problems) yield* note(styleOf(errorTerminal).yellow(text))
  return yield* new Ended({ code: 3 })
}, asCommand("export"))

export const command = Command.make("export", flags, write).pipe(
  Command.withDescription(
    "Rows as files that prove themselves: a directory with a file for each symbol, a manifest that says what was asked, what was had, which answers the rows came from, and hashes of all of it. What the store does not have is fetched, once; what cannot be had is named, and the command ends with 3."
  ),
  Command.withShortDescription("Rows as files, with a manifest that proves them"),
  Command.withExamples([
    {
      command: "tapestry export SPX --vendor sample --timeframe 1d --from 2000-01-01 --to 2010-01-01 --out spx",
      description: "Ten years as CSV"
    },
    {
      command:
        "tapestry export SPX --vendor sample --timeframe 1d --from 2000-01-01 --to 2010-01-01 --format arrow --lineage --out spx.arrow",
      description: "For pandas or Polars, each row with its origin"
    },
    { command: "tapestry export verify spx", description: "Is it as it was written?" }
  ]),
  Command.withSubcommands([verify.command])
)
