import { Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { OnMissing, RangePolicy } from "../../domain/Plan.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { PreferredQuery } from "../../services/PreferredVendors.ts"
import { type RangeQuery, StitchingCache } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { nothingHad } from "../failure/nothingHad.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag, rangeFlags, rangeOf, zoneFlag } from "../flags/RangeFlags.ts"
import { partsOf, seriesFlags, seriesOf, titleOf } from "../flags/SeriesFlags.ts"
import { type BarsOutput, barsOutput, type Format, formatOf, formats } from "../format/BarsOutput.ts"
import { answerDocument } from "../format/Documents.ts"
import { counted } from "../format/Numbers.ts"
import { derivedLines, holeLines, holesOf, keptLines, seamLines, sourceLine } from "../format/RangeLines.ts"
import { showPlan } from "../showPlan.ts"
import { writeAtomically } from "../terminal/AtomicFile.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { styleOf } from "../terminal/Style.ts"
import { withCache, withData } from "../withData.ts"
import { concludePreferred, preferenceOf, readPreferred, rowsOf, showPreferredPlan } from "./bars/preferred.ts"

const flags = {
  ...seriesFlags,
  ...rangeFlags,
  limit: Flag.Int("limit").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Show only the first N rows of the range"),
    Flag.optional
  ),
  policy: Flag.Literals("policy", RangePolicy.literals).pipe(
    Flag.withDescription("May fetch: nothing, what is missing (default), also what is not final, everything"),
    Flag.withDefault("cacheFirst" as const)
  ),
  onMissing: Flag.Literals("on-missing", OnMissing.literals).pipe(
    Flag.withDescription("A range with holes is an error, or an answer that names them (default partial)"),
    Flag.withDefault("partial" as const)
  ),
  asOf: instantFlag("as-of", "The range as it was known then; fetches nothing").pipe(Flag.optional),
  tz: zoneFlag,
  format: Flag.Literals("format", formats).pipe(
    Flag.withDescription("How rows are written (default table, or by the ending of --out)"),
    Flag.optional
  ),
  out: Flag.String("out").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Write the rows to a file, which appears when it is complete"),
    Flag.optional
  ),
  plan: Flag.Boolean("plan").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Show what would be fetched, its wait and its cost; fetches nothing"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

/** What the flags say together, or why they cannot be meant together. */
const checked = Effect.fnUntraced(function* (input: Input, json: boolean) {
  const limit = Option.getOrNull(input.limit)
  const out = Option.getOrNull(input.out)
  if (limit !== null && limit < 1)
    return yield* new UsageError({ message: `--limit ${limit}: expected 1 or more rows` })
  if (input.plan && out !== null) return yield* new UsageError({ message: "--plan writes no rows; leave out --out" })
  if (input.plan && Option.isSome(input.asOf)) {
    return yield* new UsageError({ message: "--as-of fetches nothing, so there is no plan to show" })
  }
  if (json && !input.plan && out === null && Option.isSome(input.format)) {
    return yield* new UsageError({
      message:
        "--json prints one document about the range, without its rows; leave it out, or add --out FILE for the rows"
    })
  }
  if (out !== null && out.trim() === "") return yield* new UsageError({ message: "--out is empty; name a file" })
  const format = Option.getOrElse(input.format, () => (out === null ? "table" : formatOf(out)))
  if (format === null) {
    return yield* new UsageError({
      message: `--out ${out}: its ending says none of ${formats.join(", ")}; add --format, or end it in .csv or .ndjson`
    })
  }
  const range = yield* rangeOf(input, input.timeframe)
  return { range, limit, out, format }
})

const read = Effect.fnUntraced(function* (input: Input, query: RangeQuery) {
  const cache = yield* StitchingCache
  const { note } = yield* Output
  const label = { label: `fetching ${titleOf(query.series)}`, units: "requests", things: "rows" }
  return yield* withProgress(label, ({ report }) =>
    cache.read(query, {
      onMissing: input.onMissing,
      derived: true,
      progress: ({ done, of, rows }) => report({ done, of, count: rows }),
      ...(Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {})
    })
  ).pipe(Effect.onInterrupt(() => note("interrupted; what was fetched is kept, and the next run goes on from there")))
})

const writeRows = Effect.fnUntraced(function* <E>(
  rowCount: number,
  rows: BarsOutput<E>["rows"],
  input: Input,
  how: { readonly limit: number | null; readonly out: string | null; readonly format: Format }
) {
  const { write, note, terminal } = yield* Output
  const toTerminal = how.out === null && terminal.isTerminal
  const style = styleOf({ colours: toTerminal && terminal.colours })
  const count = Math.min(rowCount, how.limit ?? rowCount)
  const text = barsOutput({
    format: how.format,
    rows,
    count,
    timeframe: input.timeframe,
    zone: input.tz,
    // Room for the header, the source line and the next prompt.
    height: toTerminal ? terminal.rows - 4 : null,
    bold: style.bold,
    dim: style.dim
  } satisfies BarsOutput<E>)
  if (how.out === null) return yield* Stream.runForEach(text, write)
  yield* writeAtomically(how.out, text)
  yield* note(`wrote ${counted(count, "row")} to ${how.out}`)
})

const bars = Effect.fn("tapestry bars")(function* (input: Input) {
  const json = yield* Json
  const { line, note, terminal, errorTerminal } = yield* Output
  const how = yield* checked(input, json)
  const range: TimeRange = how.range
  // What asks nobody is read beside an owner, as everything that only reads.
  const asksNobody = input.policy === "cacheOnly" || Option.isSome(input.asOf)
  const wanted = yield* preferenceOf(input.vendor, input.symbol)
  const several = Effect.fnUntraced(function* (preference: NonNullable<typeof wanted>) {
    const query: PreferredQuery = { ...preference, query: partsOf(input), range, policy: input.policy }
    if (input.plan) return yield* showPreferredPlan(query, json)
    const answer = yield* readPreferred(query, input)
    const rows = { sourced: true, bars: rowsOf(answer, how.limit) } as const
    if (!json || how.out !== null) yield* writeRows(answer.rowCount, rows, input, how)
    yield* concludePreferred(answer, { json, toTerminal: how.format === "table" && how.out === null })
  })
  const command = Effect.gen(function* () {
    if (wanted !== null) return yield* several(wanted)
    const series = yield* seriesOf(input)
    const query: RangeQuery = { series, range, policy: input.policy }
    if (input.plan) return yield* showPlan(query, json)
    const answer = yield* read(input, query)
    const holes = holesOf(answer.coverage)
    if (answer.rowCount === 0) yield* nothingHad(answer)
    const rows = {
      sourced: false,
      bars: how.limit === null ? answer.bars : Stream.take(answer.bars, how.limit)
    } as const
    if (!json || how.out !== null) yield* writeRows(answer.rowCount, rows, input, how)
    if (json) yield* line(JSON.stringify(answerDocument(answer)))
    else if (how.format === "table" && how.out === null)
      yield* line(styleOf(terminal).dim(sourceLine(answer, how.limit)))
    else if (errorTerminal.isTerminal) yield* note(styleOf(errorTerminal).dim(sourceLine(answer, how.limit)))
    for (const text of [...derivedLines(answer), ...keptLines(answer.coverage), ...seamLines(answer.seams)])
      yield* note(styleOf(errorTerminal).yellow(text))
    const rejected = answer.rowsRejected ?? 0
    if (holes.length === 0 && rejected === 0) return
    const problems = [
      ...holeLines(holes),
      ...(rejected === 0 ? [] : [`rejected: ${counted(rejected, "row")} that ${series.vendor} sent cannot be accepted`])
    ]
    for (const text of problems) yield* note(styleOf(errorTerminal).yellow(text))
    return yield* new Ended({ code: 3 })
  })
  yield* asksNobody ? withData(command) : withCache(command)
}, asCommand("bars"))

export const command = Command.make("bars", flags, bars).pipe(
  Command.withDescription(
    "Bars of a series. What the store does not have is fetched, once; what cannot be had is named. Ranges are half-open: --from is part of them, --to is not."
  ),
  Command.withExamples([
    {
      command: "tapestry bars SPX --vendor sample --timeframe 1d --from 2009-01-01 --to 2010-01-01",
      description: "A year of the S&P 500"
    },
    {
      command: "tapestry bars SPX --vendor sample --timeframe 1d --from 2008-01-01 --to 2010-01-01 --plan",
      description: "What a wider range would take"
    },
    {
      command: "tapestry bars EURUSD --vendor fx --timeframe 1m --last 2d --tz America/New_York",
      description: "The last two whole days of a vendor of your own, in local time"
    },
    {
      command: "tapestry bars SPX --vendor sample --timeframe 1d --from 2000-01-01 --to 2010-01-01 --out spx.csv",
      description: "Into a file"
    }
  ])
)
