import { Effect, Option, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import type { Moved, RebuildEvent, RebuildOptions } from "../../services/RebuildEvent.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instant } from "../format/Documents.ts"
import { movedTable, movedText } from "../format/MovedTable.ts"
import { counted } from "../format/Numbers.ts"
import { Output, type Terminal } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { oneLine, styleOf } from "../terminal/Style.ts"
import { withCache } from "../withData.ts"
import { checkedLines, checkImports, differs, importedLines, nothingImported, reimport } from "./rebuild/imported.ts"

const flags = {
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Only series of this vendor"),
    Flag.optional
  ),
  symbol: Flag.String("symbol").pipe(
    Flag.withMetavar("SYMBOL"),
    Flag.withDescription("Only series of this symbol, as 'tapestry series list' spells it"),
    Flag.optional
  ),
  check: Flag.Boolean("check").pipe(
    Flag.withDescription("Change nothing: build beside the store, compare, and name what differs"),
    Flag.withDefault(false)
  ),
  limit: Flag.Int("limit").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(
      "With --check: how many rows, revisions and intervals that differ are shown of each series (default 20)"
    ),
    Flag.withDefault(20)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>
type Of<Tag extends RebuildEvent["_tag"]> = Extract<RebuildEvent, { readonly _tag: Tag }>

interface Outcome {
  compared: Array<Of<"Compared"> & { readonly differences: ReadonlyArray<Moved> }>
  rebuilt: Array<Of<"Rebuilt">>
  unread: Array<Of<"Unread">>
  skipped: Array<Of<"Skipped">>
  finished: Of<"Finished"> | null
}

/** Everything that is told; nothing is printed before the end, since the command may have to begin again beside another owner. */
const gather = (options: RebuildOptions) =>
  withProgress(
    { label: options.check === true ? "checking" : "rebuilding", units: "responses", things: "rows" },
    ({ report }) =>
      Effect.gen(function* () {
        const cache = yield* StitchingCache
        const outcome: Outcome = { compared: [], rebuilt: [], unread: [], skipped: [], finished: null }
        let differences: Array<Moved> = []
        yield* Stream.runForEach(cache.rebuild(options), (event) => {
          switch (event._tag) {
            case "Progress":
              return report({ done: event.responses, of: event.ofResponses, count: event.rows })
            case "Difference":
              differences.push(event.moved)
              return Effect.void
            case "Compared":
              outcome.compared.push({ ...event, differences })
              differences = []
              return Effect.void
            case "Rebuilt":
              outcome.rebuilt.push(event)
              return Effect.void
            case "Unread":
              outcome.unread.push(event)
              return Effect.void
            case "Skipped":
              outcome.skipped.push(event)
              return Effect.void
            case "Finished":
              outcome.finished = event
              return Effect.void
          }
        })
        return outcome
      })
  )

const document = ({ compared, finished, rebuilt, skipped, unread }: Outcome, check: boolean) => ({
  check,
  series: check
    ? compared.map(({ actions, differences, moved, rebuilt, same, series, stored }) => ({
        series,
        same,
        stored,
        rebuilt,
        moved,
        differences,
        ...(actions === undefined ? {} : { actions })
      }))
    : rebuilt.map(({ responses, rows, series }) => ({ series, responses, rows })),
  responses: finished?.responses ?? 0,
  rows: finished?.rows ?? 0,
  unread: unread.map(({ damaged, message, response, series }) => ({ series, response, damaged, message })),
  skipped: skipped.map(({ message, series }) => ({ series, message }))
})

const instants: ReadonlySet<string> = new Set([
  "ts",
  "at",
  "start",
  "end",
  "until",
  "recheckAfter",
  "recordedAt",
  "askedAt",
  "supersededAt"
])

/** Instants in documents are ISO 8601. */
const asInstant = (key: string, value: unknown): unknown =>
  typeof value === "number" && instants.has(key) ? instant(value) : value

const notRead = ({ damaged, message, response, series }: Of<"Unread">): string =>
  oneLine(`${damaged ? "damaged" : "not readable"}: response ${response} of ${series}: ${message}`)

const text = (outcome: Outcome, check: boolean, terminal: Terminal): ReadonlyArray<string> => {
  const style = styleOf(terminal)
  const { compared, finished, skipped, unread } = outcome
  const from = `${counted(finished?.responses ?? 0, "response")} with ${counted(finished?.rows ?? 0, "row")}`
  const differing = compared.filter(({ same }) => !same)
  return [
    ...differing.flatMap(({ actions = [], differences, moved, series }) => {
      const [header = "", ...rows] = movedTable(differences, actions)
      const all = moved.rows + moved.revisions + moved.coverage + moved.actions
      const left = all - differences.length - actions.length
      return [
        `${style.bold(oneLine(series))}: ${movedText(moved)} moved`,
        style.bold(`  ${header}`),
        ...rows.map((row) => `  ${row}`),
        ...(left > 0 ? [style.dim(`  … ${left} more (--limit ${all} for all)`)] : []),
        ""
      ]
    }),
    ...unread.map((event) => (event.damaged ? style.red(notRead(event)) : style.dim(notRead(event)))),
    ...skipped.map(({ message, series }) => style.yellow(oneLine(`left as it is: ${series}: ${message}`))),
    !check
      ? `rebuilt ${counted(outcome.rebuilt.length, "series", "series")} from ${from}`
      : differing.length === 0
        ? `${counted(compared.length, "series", "series")} compared with the archive, ${from}: all the same`
        : `${counted(compared.length, "series", "series")} compared with the archive, ${from}: ${differing.length} not the same`
  ]
}

const rebuild = Effect.fn("tapestry rebuild")(function* ({ check, limit, symbol, vendor }: Input) {
  const json = yield* Json
  const { line, lines, terminal } = yield* Output
  if (limit < 0 || limit > 10_000) {
    return yield* new UsageError({ message: `--limit ${limit}: expected 0 to 10000` })
  }
  const of = {
    ...(Option.isSome(vendor) ? { vendor: vendor.value } : {}),
    ...(Option.isSome(symbol) ? { symbol: symbol.value } : {})
  }
  const outcome = yield* withCache(gather({ check, moved: limit, ...of }))
  const imported = check ? nothingImported : yield* reimport(of)
  const checked = check ? yield* checkImports({ limit, ...of }) : null
  if (json) {
    const told = checked === null ? { imported } : { imported: checked }
    yield* line(JSON.stringify({ ...document(outcome, check), ...told }, asInstant))
  } else {
    const after = checked === null ? importedLines(imported) : checkedLines(checked)
    yield* lines([...text(outcome, check, terminal), ...after])
  }
  const damaged = outcome.unread.some((event) => event.damaged)
  const problems = imported.problems.length + (checked?.problems.length ?? 0) + outcome.skipped.length
  const moved = outcome.compared.some(({ same }) => !same) || checked?.compared.some(differs) === true
  if (damaged || moved || problems > 0) return yield* new Ended({ code: 3 })
}, asCommand("rebuild"))

export const command = Command.make("rebuild", flags, rebuild).pipe(
  Command.withDescription(
    "Make the market store again from the archive alone: every answer is read again with today's decoders. Each series is built beside the one that readers see and takes its place at once. With --check nothing changes: what differs is named, with the decoder that read it. Ends with 3 when anything differs, when bytes in the archive are damaged, or when a series cannot be read for want of its vendor."
  ),
  Command.withExamples([
    { command: "tapestry rebuild --check", description: "Is every row what the archive says?" },
    { command: "tapestry rebuild --vendor yahoo --symbol AAPL", description: "After a decoder was mended" }
  ])
)
