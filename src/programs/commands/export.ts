import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import manifest from "../../../package.json" with { type: "json" }
import { RangePolicy } from "../../domain/Plan.ts"
import type { Timeframe } from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { nothingHad } from "../failure/nothingHad.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { kindFlag, kindOf } from "../flags/KindArgument.ts"
import { instantFlag, rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf, titleOf } from "../flags/SeriesFlags.ts"
import { exportDocument, exportTable } from "../format/exportText.ts"
import { counted } from "../format/Numbers.ts"
import { holeLines, holesOf } from "../format/RangeLines.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { styleOf } from "../terminal/Style.ts"
import { withCache, withData } from "../withData.ts"
import { NothingStored, type Selection, selected, spanOf, storedRanges } from "./export/selection.ts"
import { writeStreamed } from "./export/streamed.ts"
import * as verify from "./export/verify.ts"

const { symbol: _, timeframe, vendor, ...keyFlags } = seriesFlags

const flags = {
  symbols: Argument.String("symbol").pipe(
    Argument.withDescription("The symbols, each gets a file; with none all that are stored"),
    Argument.variadic()
  ),
  kind: kindFlag,
  vendor: Flag.optional(vendor),
  timeframe: Flag.optional(timeframe),
  ...keyFlags,
  ...rangeFlags,
  policy: Flag.Literals("policy", RangePolicy.literals).pipe(
    Flag.withDescription("May fetch: nothing, what is missing (default), also what is not final, everything"),
    Flag.optional
  ),
  asOf: instantFlag("as-of", "The rows as they were known then; fetches nothing").pipe(Flag.optional),
  format: Flag.Literals("format", ["csv", "ndjson", "arrow"]).pipe(
    Flag.withDescription(
      "How rows are written: CSV (default), a JSON object a line (default of --out -), or Arrow IPC"
    ),
    Flag.optional
  ),
  out: Flag.String("out").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription(
      "The directory to make, which appears when it is complete; - for standard output, in one stream and without a manifest"
    )
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

/** Series of bars that are named in full, and their range: what is missing of them can be fetched. */
interface Named {
  readonly vendor: string
  readonly timeframe: Timeframe
  readonly range: TimeRange
}

/** Null: what is stored is meant, of all series or of some, and nobody is asked. */
const namedOf = Effect.fnUntraced(function* (input: Input) {
  const { from, last, policy } = input
  const isNamed = input.kind === "bars" && input.symbols.length > 0
  if (isNamed && Option.isSome(input.vendor) && Option.isSome(input.timeframe)) {
    const asks = !Option.contains(policy, "cacheOnly") && Option.isNone(input.asOf)
    if (asks || Option.isSome(from) || Option.isSome(last)) {
      const named: Named = {
        vendor: input.vendor.value,
        timeframe: input.timeframe.value,
        range: yield* rangeOf(input, input.timeframe.value)
      }
      return named
    }
  }
  if (Option.isNone(policy) || policy.value === "cacheOnly") return null
  return yield* new UsageError({
    message: `--policy ${policy.value}: only bars that are named can be fetched; give the symbols, --vendor, --timeframe and a range`
  })
})

/** Has the ranges, through the owner of the data directory where there is one; their rows stay in the store. */
const readAll = Effect.fnUntraced(function* (input: Input, { range, timeframe, vendor }: Named) {
  const { note } = yield* Output
  const policy = Option.getOrElse(input.policy, () => "cacheFirst" as const)
  const asOf = Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {}
  const reading = Effect.gen(function* () {
    const cache = yield* StitchingCache
    const all = yield* Effect.forEach(new Set(input.symbols), (symbol) =>
      seriesOf({ ...input, symbol, vendor, timeframe })
    )
    return yield* Effect.forEach(all, (series) =>
      withProgress({ label: `fetching ${titleOf(series)}`, units: "requests", things: "rows" }, ({ report }) =>
        cache.read(
          { series, range, policy },
          { onMissing: "partial", progress: ({ done, of, rows }) => report({ done, of, count: rows }), ...asOf }
        )
      )
    ).pipe(Effect.onInterrupt(() => note("interrupted; what was fetched is kept, and the next run goes on from there")))
  })
  // What asks nobody is read beside an owner, as everything that only reads.
  return yield* policy === "cacheOnly" || Option.isSome(input.asOf) ? withData(reading) : withCache(reading)
})

type Answer = Effect.Success<ReturnType<typeof readAll>>[number]

/** What could not be had, in words; the command ends with 3 then. */
const sayProblems = Effect.fnUntraced(function* (input: Input, answers: ReadonlyArray<Answer>, complete: boolean) {
  const { errorTerminal, note } = yield* Output
  const rejected = answers.reduce((sum, { rowsRejected = 0 }) => sum + rowsRejected, 0)
  if (complete && rejected === 0) return
  const vendor = Option.getOrElse(input.vendor, () => "the vendor")
  const problems = [
    ...answers.flatMap(({ coverage, series }) =>
      holeLines(holesOf(coverage)).map((text) => `${titleOf(series)}: ${text}`)
    ),
    ...(rejected === 0 ? [] : [`rejected: ${counted(rejected, "row")} that ${vendor} sent cannot be accepted`])
  ]
  for (const text of problems) yield* note(styleOf(errorTerminal).yellow(text))
  return yield* new Ended({ code: 3 })
})

const selectionOf = Effect.fnUntraced(function* (input: Input) {
  const selection: Selection = {
    kind: yield* kindOf(input.kind),
    symbols: input.symbols,
    vendor: Option.getOrUndefined(input.vendor),
    timeframe: Option.getOrUndefined(input.timeframe),
    dataset: Option.getOrUndefined(input.dataset),
    price: Option.getOrUndefined(input.price),
    session: Option.getOrUndefined(input.session),
    currency: Option.getOrUndefined(input.currency),
    adjustment: Option.getOrUndefined(input.adjustment)
  }
  if (Option.isNone(input.last)) return { selection, range: yield* spanOf(input) }
  return { selection, range: yield* rangeOf(input, selection.timeframe ?? "1m") }
})

/** `--out -`: one stream, each row with its series, as 'tapestry dump' writes it. */
const toStdout = Effect.fnUntraced(function* (input: Input, named: Named | null) {
  if (input.lineage || input.overwrite) {
    return yield* new UsageError({ message: "--lineage and --overwrite go with a directory, not with --out -" })
  }
  const format = Option.getOrElse(input.format, () => "ndjson" as const)
  const stream = { format, out: "-", asOf: input.asOf }
  if (named === null) {
    const { range, selection } = yield* selectionOf(input)
    return yield* writeStreamed({ ...stream, kind: selection.kind, range, series: selected(selection) })
  }
  const answers = yield* readAll(input, named)
  const series = Effect.succeed(answers.map(({ rowCount, series: of }) => ({ series: of, rows: rowCount })))
  yield* writeStreamed({ ...stream, kind: "bar", range: named.range, series })
  const complete = answers.every(({ coverage }) => holesOf(coverage).length === 0)
  yield* sayProblems(input, answers, complete)
})

const toDirectory = Effect.fnUntraced(function* (input: Input, named: Named | null) {
  const json = yield* Json
  const { errorTerminal, line, lines, note, terminal } = yield* Output
  const [{ writeExport }, { checkPlace }] = yield* loadExport
  yield* checkPlace(input.out, input.overwrite)
  const answers = named === null ? [] : yield* readAll(input, named)
  const [first] = answers
  if (first !== undefined && answers.every(({ rowCount }) => rowCount === 0)) yield* nothingHad(first)
  const stored = named === null ? yield* selectionOf(input) : null
  if (stored !== null && Option.isSome(input.asOf) && (Option.isNone(input.from) || Option.isNone(input.to))) {
    return yield* new UsageError({
      message: "--as-of of what is stored needs --from and --to; what was known then may lie where nothing is now"
    })
  }
  const written = yield* withProgress({ label: "exporting", units: "rows", things: "rows" }, ({ report }) =>
    withData(
      Effect.gen(function* () {
        const found = stored === null ? [] : yield* storedRanges(stored.selection, stored.range)
        if (stored !== null && found.length === 0) return null
        const of = [...answers.map(({ rowCount }) => rowCount), ...found.map(({ rows }) => rows)]
        return yield* writeExport({
          answers: stored === null ? answers : found,
          directory: input.out,
          format: Option.getOrElse(input.format, () => "csv" as const),
          lineage: input.lineage,
          overwrite: input.overwrite,
          product: manifest.version,
          progress: (rows) => report({ done: rows, of: of.reduce((sum, rows) => sum + rows, 0), count: rows }),
          ...(Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {})
        })
      })
    )
  )
  if (written === null)
    return yield* new NothingStored({
      message: `no ${input.kind} are stored that are meant; 'tapestry series list' shows what is there`
    })
  if (json) yield* line(JSON.stringify(exportDocument(input.out, written)))
  else {
    const [header = "", ...rows] = exportTable(written)
    yield* lines([styleOf(terminal).bold(header), ...rows])
    yield* line(styleOf(terminal).dim(`Check it: tapestry export verify ${input.out}`))
  }
  if (stored === null) return yield* sayProblems(input, answers, written.complete)
  const open = written.series.filter(({ complete }) => !complete).length
  if (open === 0) return
  const whose = `${open} of ${counted(written.series.length, "series", "series")}`
  yield* note(
    styleOf(errorTerminal).yellow(
      `this is what is stored: nothing proves that all rows of its range are there, of ${whose} (coverage, in the manifest)`
    )
  )
})

const write = Effect.fn("tapestry export")(function* (input: Input) {
  if (input.out.trim() === "") return yield* new UsageError({ message: "--out is empty; name a directory" })
  const named = yield* namedOf(input)
  return yield* input.out === "-" ? toStdout(input, named) : toDirectory(input, named)
}, asCommand("export"))

export const command = Command.make("export", flags, write).pipe(
  Command.withDescription(
    "Rows as files that prove themselves: a directory with a file for each series, a manifest that says what was asked, what was had, which answers the rows came from, and hashes of all of it. Of bars that are named (symbols, --vendor, --timeframe and a range) what the store does not have is fetched, once; what cannot be had is named, and the command ends with 3. Otherwise, and of every other kind, it is what is stored of the series that are meant. --out - writes one stream that 'tapestry ingest' takes back; it has no manifest and cannot be verified."
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
    {
      command: "tapestry export --kind trades --vendor acme --from 2026-06-19 --to 2026-06-20 --out tape",
      description: "A day's trades of all symbols, as they are stored"
    },
    { command: "tapestry export SPY --kind quotes --out - | zstd > spy.zst", description: "Through a pipe" },
    { command: "tapestry export verify spx", description: "Is it as it was written?" }
  ]),
  Command.withSubcommands([verify.command])
)
