import { Clock, Effect, FileSystem, Option, Path, Ref, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { WriteMode } from "../../domain/WriteMode.ts"
import type { ImportTally } from "../../layers/imports/importText.ts"
import type { Content } from "../../layers/imports/openText.ts"
import { wordsOf } from "../../layers/platformWords.ts"
import { type Importer, type ImportSpec, Imports, type RejectedLine } from "../../services/Imports.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { kindArgument, kindOf } from "../flags/KindArgument.ts"
import { seriesFlags } from "../flags/SeriesFlags.ts"
import { importDocument, importLines } from "../format/ImportLines.ts"
import { bytes, counted } from "../format/Numbers.ts"
import { ownerImporter } from "../ownerImporter.ts"
import { settings } from "../Settings.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { oneLine, styleOf } from "../terminal/Style.ts"
import { withOwner } from "../withData.ts"

const { adjustment, currency, dataset, price, session } = seriesFlags

/** All that says what is read and how, but for the kind of the rows. */
export const sourceFlags = {
  file: Argument.String("file").pipe(
    Argument.withDescription("NDJSON, CSV or Arrow IPC, as it is or packed with gzip or zstd; - for standard input")
  ),
  format: Flag.Literals("format", ["ndjson", "csv", "arrow"]).pipe(
    Flag.withDescription(
      "How rows are written; unless given, Arrow where its first bytes say so, else by its name, else NDJSON"
    ),
    Flag.optional
  ),
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Whose rows they are, where the rows do not say"),
    Flag.optional
  ),
  symbol: Flag.String("symbol").pipe(
    Flag.withMetavar("SYMBOL"),
    Flag.withDescription("Their symbol, where the rows do not say"),
    Flag.optional
  ),
  timeframe: Flag.optional(seriesFlags.timeframe),
  price,
  session,
  adjustment,
  currency,
  dataset,
  name: Flag.String("name").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("What the import is called in the archive; the file's name unless given"),
    Flag.optional
  ),
  symbolCase: Flag.Literals("symbol-case", ["upper", "exact"]).pipe(
    Flag.withDescription("Put symbols in upper case (default), or leave them as they are"),
    Flag.withDefault("upper" as const)
  ),
  nulls: Flag.Literals("nulls", ["overwrite", "keep"]).pipe(
    Flag.withDescription("What no value means where the store has one: overwrite it (default), or keep it"),
    Flag.withDefault("overwrite" as const)
  ),
  nullToken: Flag.String("null").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("CSV: unquoted text that stands for no value, beside the empty one"),
    Flag.withDefault("")
  ),
  delimiter: Flag.String("delimiter").pipe(
    Flag.withMetavar("CHAR"),
    Flag.withDescription("CSV: what stands between fields (default ,)"),
    Flag.withDefault(",")
  ),
  assumeUtc: Flag.Boolean("assume-utc").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Arrow: timestamps without a zone are in UTC; unless given they are refused"),
    Flag.withDefault(false)
  ),
  ignoreUnknown: Flag.Boolean("ignore-unknown").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Pass over columns that no field has the name of"),
    Flag.withDefault(false)
  ),
  failFast: Flag.Boolean("fail-fast").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Stop at the first row that cannot be accepted"),
    Flag.withDefault(false)
  ),
  maxErrors: Flag.Int("max-errors").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Stop when more rows than that could not be accepted"),
    Flag.optional
  ),
  rejects: Flag.String("rejects").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Where rows that cannot be accepted are written, with line (of Arrow: row) and reason; in the data directory unless given"
    ),
    Flag.optional
  ),
  writeMode: Flag.Literals("write-mode", WriteMode.literals).pipe(
    Flag.withDescription(
      "Accepted for market-data-store's users: all of them mean the one way in which rows are written"
    ),
    Flag.optional
  )
}

const flags = { kind: kindArgument, ...sourceFlags }

export type IngestInput = Command.Command.Config.Infer<typeof flags>

const loadImports = Effect.promise(() =>
  Promise.all([
    import("../../layers/imports/importText.ts"),
    import("../../layers/imports/openText.ts"),
    import("../youngGeneration.ts")
  ])
)

/** Rows that are shown one by one; all of them are in the reject file. */
const shown = 5

const specOf = Effect.fnUntraced(function* (input: IngestInput) {
  const kind = yield* kindOf(input.kind)
  if (input.delimiter.length !== 1) {
    return yield* new UsageError({ message: `--delimiter ${JSON.stringify(input.delimiter)}: it is one character` })
  }
  if (Option.isSome(input.maxErrors) && input.maxErrors.value < 0) {
    return yield* new UsageError({ message: `--max-errors ${input.maxErrors.value}: it is 0 or more` })
  }
  const path = yield* Path.Path
  const isCsv = /\.csv(\.gz|\.zst)?$/i.test(input.file)
  const or = Option.getOrNull
  const spec: ImportSpec = {
    name: Option.getOrElse(input.name, () => (input.file === "-" ? "standard input" : path.basename(input.file))),
    kind,
    format: Option.getOrElse(input.format, () => (isCsv ? "csv" : "ndjson")),
    header: null,
    delimiter: input.delimiter,
    nullToken: input.nullToken,
    defaults: {
      vendor: or(input.vendor),
      dataset: or(input.dataset),
      symbol: or(input.symbol),
      timeframe: or(input.timeframe),
      price: or(input.price),
      session: or(input.session),
      currency: or(input.currency),
      adjustment: or(input.adjustment)
    },
    symbolCase: input.symbolCase,
    nulls: input.nulls,
    unknownColumns: input.ignoreUnknown ? "ignore" : "refuse",
    rejects: input.failFast ? "fail" : "skip",
    ...(input.assumeUtc ? { zoneless: "utc" as const } : {})
  }
  return spec
})

/** With the format that the first bytes say, which they do of Arrow alone. */
const specFor = Effect.fnUntraced(function* (spec: ImportSpec, input: IngestInput, content: Content) {
  const given = Option.getOrNull(input.format)
  if (content === "parquet") {
    return yield* new UsageError({
      message: `${spec.name} is Parquet, which is not taken; write it as Arrow IPC (pandas: to_feather, Polars: write_ipc)`
    })
  }
  if (content === "arrow" && given !== null && given !== "arrow") {
    return yield* new UsageError({ message: `--format ${given}, but ${spec.name} is Arrow IPC` })
  }
  if (content !== "arrow" && given === "arrow") {
    return yield* new UsageError({ message: `--format arrow, but ${spec.name} does not begin as Arrow IPC does` })
  }
  return content === "arrow" ? { ...spec, format: "arrow" as const } : spec
})

/** The bytes of the file and how many there are; 0 where that is not known. */
const bytesOf = Effect.fnUntraced(function* (file: string) {
  if (file === "-") return { bytes: (yield* Stdio.Stdio).stdin, size: 0 }
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.mapError(
    fs.stat(file),
    (error) =>
      new UsageError({
        message:
          error.reason._tag === "NotFound" ? `there is no file ${file}` : `${file} cannot be read: ${wordsOf(error)}`
      })
  )
  if (info.type === "Directory") return yield* new UsageError({ message: `${file} is a directory; name a file` })
  return { bytes: fs.stream(file, { chunkSize: 262_144 }), size: Number(info.size) }
})

/** Takes the rows of a file, and says on standard error what could not be accepted. */
export const takeFile = Effect.fn("tapestry ingest")(function* (input: IngestInput) {
  const { errorTerminal, note } = yield* Output
  const warn = styleOf(errorTerminal).yellow
  const asked = yield* specOf(input)
  const { bytes: given, size } = yield* bytesOf(input.file)
  const [{ importText, nothingImported }, { openText }, youngGeneration] = yield* loadImports
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const startedAt = yield* Clock.currentTimeMillis
  const last = yield* Ref.make<ImportTally>(nothingImported)
  const dataDir = (yield* settings).dataDir.value
  const rejects = Option.getOrElse(input.rejects, () =>
    path.join(dataDir, "rejects", `${asked.name.replaceAll(/[^\w.-]/g, "_")}.${startedAt}.ndjson`)
  )

  const keep = Effect.fnUntraced(
    function* (rejected: ReadonlyArray<RejectedLine>, before: number, unit: "line" | "row") {
      if (rejected.length === 0) return
      if (before === 0) yield* fs.makeDirectory(path.dirname(rejects), { recursive: true })
      const text = rejected.map(({ line: at, ...rest }) => `${JSON.stringify({ [unit]: at, ...rest })}\n`).join("")
      yield* fs.writeFileString(rejects, text, { flag: before === 0 ? "w" : "a" })
      for (const row of rejected.slice(0, Math.max(0, shown - before))) {
        yield* note(warn(oneLine(`${unit} ${row.line}: ${row.reason}`)))
      }
    },
    Effect.mapError((error) => new UsageError({ message: `${rejects} cannot be written: ${wordsOf(error)}` }))
  )

  const label = { label: `ingesting ${asked.name}`, units: "bytes", things: "rows" }
  const { spec, tally } = yield* withProgress(label, ({ report }) =>
    Effect.scoped(
      Effect.gen(function* () {
        // Of a packed file its size is known packed, so that is what is counted, too.
        const read = yield* Ref.make(0)
        const { content, packing, text } = yield* openText(
          Stream.tap(given, ({ length }) => Ref.update(read, (before) => before + length))
        )
        const spec = yield* specFor(asked, input, content)
        const unit = spec.format === "arrow" ? "row" : "line"
        const run = <E>(imports: Importer<E>) =>
          importText({
            imports,
            spec,
            text,
            progress: Effect.fnUntraced(function* (done, rejected) {
              yield* keep(rejected, done.rejected - rejected.length, unit)
              yield* Ref.set(last, done)
              yield* report({ done: packing === null ? done.bytes : yield* Ref.get(read), of: size, count: done.rows })
              if (Option.isSome(input.maxErrors) && done.rejected > input.maxErrors.value) {
                yield* note(
                  warn(`more than ${counted(input.maxErrors.value, "row")} could not be accepted (--max-errors)`)
                )
                return yield* new Ended({ code: 1 })
              }
            })
          })
        const tally = yield* withOwner(Effect.flatMap(Imports, run), (client) => run(ownerImporter(client)))
        return { spec, tally }
      })
    )
  ).pipe(
    Effect.provide(youngGeneration.layer),
    Effect.onError(() =>
      Effect.flatMap(Ref.get(last), ({ bytes: done, rows, segments }) =>
        segments === 0
          ? Effect.void
          : note(
              `${counted(rows, "row")} of the first ${bytes(done)} are imported and stay; the same command goes on from there`
            )
      )
    )
  )
  const elapsed = (yield* Clock.currentTimeMillis) - startedAt
  const rejectFile = tally.rejected === 0 ? null : rejects
  if (rejectFile !== null) {
    yield* note(warn(`${counted(tally.rejected, "row")} could not be accepted: ${rejectFile}`))
  }
  return { spec, tally, elapsed, rejectFile }
})

export const ingestRows = Effect.fnUntraced(function* (input: IngestInput) {
  const { line, lines, terminal } = yield* Output
  const { elapsed, rejectFile, spec, tally } = yield* takeFile(input)
  if (yield* Json) yield* line(JSON.stringify(importDocument(spec, tally, rejectFile, elapsed)))
  else yield* lines(importLines(spec, tally, elapsed, styleOf(terminal)))
  if (rejectFile !== null) return yield* new Ended({ code: 3 })
})

const ingest = (input: IngestInput) => asCommand("ingest")(ingestRows(input))

export const command = Command.make("ingest", flags, ingest).pipe(
  Command.withDescription(
    "Takes rows from a file into the store. The file is archived as it is, in segments, and each row names the segment it came from. Columns are known by their names (ts, open, venue, ...), in any case and with or without underscores. A stamp is ISO 8601 with an offset, or a number of milliseconds; nanoseconds in a column named tsNs. Arrow IPC, the stream and the file format, has stamps of any unit; a column of a type that cannot be taken exactly is refused. Rows that cannot be accepted are written to a file with their line (of Arrow their row) and the reason, and the command ends with 3. It can be broken off and run again: what is imported is not written twice."
  ),
  Command.withShortDescription("Take rows from a file"),
  Command.withExamples([
    {
      command: "tapestry ingest trades spy.ndjson.gz --vendor databento --symbol SPY",
      description: "One symbol's trades"
    },
    { command: "tapestry ingest bars bars.csv --timeframe 1m", description: "Bars whose rows say vendor and symbol" },
    {
      command: "tapestry ingest quotes quotes.arrow --vendor acme --assume-utc",
      description: "What pandas or Polars wrote, with timestamps in UTC that do not say so"
    },
    { command: "zcat news.ndjson.gz | tapestry ingest news - --vendor wire", description: "From standard input" }
  ])
)
