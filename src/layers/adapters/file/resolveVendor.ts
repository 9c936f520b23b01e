import { type Path, Result } from "effect"
import { isIntraday, type Timeframe } from "../../../domain/Timeframe.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import { unknownCalendar } from "../../calendar/unknownCalendar.ts"
import type { DocumentProblem } from "../../config/issueProblems.ts"
import { resolveDecoding } from "../records/RowDecoding.ts"
import * as Timestamp from "../records/timestamp.ts"
import type { VendorContext } from "../VendorConfig.ts"
import type { FileEntry, FileEntrySpec, FileVendor, FileVendorSpec } from "./FileCatalogue.ts"
import * as PathPattern from "./PathPattern.ts"
import { normaliseSymbol } from "./symbols.ts"

interface Context {
  readonly vendor: string
  readonly baseDir: string
  readonly path: Path.Path
  readonly calendars: ReadonlyArray<string>
  readonly problems: Array<DocumentProblem>
}

const problem = (
  path: ReadonlyArray<string>,
  expected: string,
  found: string | null = null,
  remedy: string | null = null
): DocumentProblem => ({ path, expected, found, remedy })

/** The path of a key: at the vendor where only the vendor says it, else at the entry. */
const whereIs = (
  context: Context,
  vendor: FileVendorSpec,
  entry: string | null,
  own: FileEntrySpec,
  key: keyof FileEntrySpec
): ReadonlyArray<string> =>
  entry === null || (own[key] === undefined && vendor[key] !== undefined)
    ? ["vendors", context.vendor, key]
    : ["vendors", context.vendor, "entries", entry, key]

/** False where a bar is longer than its file, or is stamped with a date that may lie in the file before. */
const fitsFile = (timeframe: Timeframe, unit: PathPattern.PathUnit): boolean =>
  timeframe === "1w" ? false : timeframe === "1mo" ? unit !== "day" : timeframe === "3mo" ? unit === "year" : true

const resolveEntry = (
  context: Context,
  vendor: FileVendorSpec,
  name: string | null,
  own: FileEntrySpec
): FileEntry | null => {
  const spec: FileEntrySpec = { ...vendor, ...own }
  const before = context.problems.length
  const at = (key: keyof FileEntrySpec) => whereIs(context, vendor, name, own, key)
  const missing = (key: keyof FileEntrySpec, expected: string) =>
    context.problems.push(problem(at(key), expected, "nothing", "add it"))

  const pattern = (key: "path" | "member", source: string): PathPattern.PathPattern | null =>
    Result.match(PathPattern.parse(source), {
      onFailure: (expected) => {
        context.problems.push(problem(at(key), `a usable pattern: ${expected}`))
        return null
      },
      onSuccess: (parsed) => parsed
    })

  if (spec.root === undefined) missing("root", "the directory that holds the files")
  if (spec.path === undefined) missing("path", "a path below root, such as daily/{symbol}.csv")
  if (spec.timeframe === undefined) missing("timeframe", "the length of the bars, such as 1d or 1m")
  const path = spec.path === undefined ? null : pattern("path", spec.path)
  const member = spec.member === undefined ? null : pattern("member", spec.member)

  const zone = spec.zone ?? "UTC"
  // UTC is not looked up: a look at the zones brings 6 MB of their rules into memory.
  if (zone !== "UTC" && ZoneClock.make(zone) === null) {
    context.problems.push(problem(at("zone"), "an IANA zone, such as America/New_York or UTC", JSON.stringify(zone)))
  }
  const timestamp = spec.timestamp ?? "iso"
  const reader = Timestamp.make(timestamp, path?.unit === "day" ? 0 : null)
  if (Result.isFailure(reader)) {
    context.problems.push(
      problem(
        at("timestamp"),
        `${Timestamp.namedFormats.join(", ")} or a pattern: ${reader.failure}`,
        JSON.stringify(timestamp)
      )
    )
  } else if (spec.timeframe !== undefined && isIntraday(spec.timeframe) && !Timestamp.hasTimeOfDay(timestamp)) {
    context.problems.push(
      problem(
        at("timestamp"),
        `a format with a time of day, since the bars are ${spec.timeframe}`,
        JSON.stringify(timestamp)
      )
    )
  }
  const calendar = unknownCalendar(at("calendar"), spec.calendar, context.calendars)
  if (calendar !== null) context.problems.push(calendar)
  if (path !== null && !path.hasSymbol && spec.symbols?.length !== 1) {
    context.problems.push(
      problem(
        at("symbols"),
        "exactly one symbol, because the path has no {symbol}",
        spec.symbols === undefined ? "nothing" : null
      )
    )
  }
  if (Array.isArray(spec.header) && spec.columns !== undefined) {
    for (const [field, column] of Object.entries(spec.columns)) {
      if (typeof column === "string" && !spec.header.includes(column)) {
        context.problems.push(
          problem(
            [...at("columns"), field],
            `one of the columns in header: ${spec.header.join(", ")}`,
            JSON.stringify(column)
          )
        )
      }
    }
  }
  if (path !== null && path.unit !== null && spec.timeframe !== undefined && !fitsFile(spec.timeframe, path.unit)) {
    context.problems.push(
      problem(
        at("path"),
        `files that hold whole bars of ${spec.timeframe}`,
        `a file per ${path.unit}`,
        "leave the date out"
      )
    )
  }
  if (context.problems.length > before) return null
  const symbolCase = spec.symbolCase ?? "upper"
  if (path === null || spec.root === undefined || spec.timeframe === undefined) return null
  return {
    name: name ?? "default",
    root: context.path.resolve(context.baseDir, spec.root),
    path,
    member,
    symbols: spec.symbols?.map((symbol) => normaliseSymbol({ symbolCase }, symbol) ?? symbol) ?? null,
    symbolCase,
    decoding: resolveDecoding(spec, spec.timeframe),
    dataset: spec.dataset ?? null,
    price: spec.price ?? "trade",
    session: spec.session ?? "all",
    currency: spec.currency ?? null,
    adjustment: spec.adjustment ?? "raw",
    calendar: spec.calendar ?? null,
    rejects: spec.rejects === undefined ? null : context.path.resolve(context.baseDir, spec.rejects)
  }
}

/** Two entries that would answer the same question, or that are cut differently for one timeframe. */
const clashes = (context: Context, entries: ReadonlyArray<FileEntry>): void => {
  const answers = new Map<string, FileEntry>()
  const cuts = new Map<string, FileEntry>()
  for (const entry of entries) {
    const at = ["vendors", context.vendor, "entries", entry.name]
    const timeframe = entry.decoding.timeframe
    const key = [entry.dataset, timeframe, entry.price, entry.session, entry.currency, entry.adjustment].join(" ")
    const twin = answers.get(key)
    if (twin !== undefined) {
      context.problems.push(
        problem(
          at,
          `an entry that differs from ${twin.name} in dataset, timeframe, price, session, currency or adjustment`,
          "the same in all of them",
          "give one of them a dataset"
        )
      )
    }
    answers.set(key, entry)
    const neighbour = cuts.get(timeframe)
    if (
      neighbour !== undefined &&
      (neighbour.path.unit !== entry.path.unit || neighbour.decoding.zone !== entry.decoding.zone)
    ) {
      context.problems.push(
        problem(
          at,
          `files cut like those of ${neighbour.name} (a file per ${neighbour.path.unit ?? "symbol"}, zone ${neighbour.decoding.zone})`,
          `a file per ${entry.path.unit ?? "symbol"}, zone ${entry.decoding.zone}`,
          "make it a vendor of its own"
        )
      )
    }
    cuts.set(timeframe, neighbour ?? entry)
  }
}

/**
 * Checks a decoded vendor as a whole and fills in what it leaves out. `baseDir` is what its relative paths start from;
 * `payloadLimit` (bytes) bounds its files where it states no bound of its own: the archive would refuse larger ones anyway.
 */
export const resolveVendor = (
  name: string,
  spec: FileVendorSpec,
  { baseDir, calendars, path, payloadLimit }: VendorContext
): Result.Result<FileVendor, ReadonlyArray<DocumentProblem>> => {
  const context: Context = { vendor: name, baseDir, path, calendars, problems: [] }
  const specs = Object.entries(spec.entries ?? {})
  const resolved =
    spec.entries === undefined
      ? [resolveEntry(context, spec, null, {})]
      : specs.map(([entry, own]) => resolveEntry(context, spec, entry, own))
  if (spec.entries !== undefined && specs.length === 0) {
    context.problems.push(problem(["vendors", name, "entries"], "at least one entry", "none"))
  }
  const entries = resolved.filter((entry) => entry !== null)
  clashes(context, entries)
  if (context.problems.length > 0) return Result.fail(context.problems)
  return Result.succeed({
    adapter: "file",
    name,
    description: spec.description ?? `files in ${Array.from(new Set(entries.map((entry) => entry.root))).join(", ")}`,
    account: spec.account ?? name,
    entries,
    maxFileSize: spec.maxFileSize ?? payloadLimit,
    finalityDelay: spec.finalityDelay ?? 0,
    calendar: spec.calendar ?? null,
    recheckAfter: spec.recheckAfter ?? null,
    concurrency: spec.quota?.concurrency ?? 4,
    maxInFlight: spec.quota?.maxInFlight ?? null,
    windows: spec.quota?.windows ?? []
  })
}
