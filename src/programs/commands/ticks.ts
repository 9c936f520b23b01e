import { Clock, Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { CoverageInterval } from "../../domain/Coverage.ts"
import { OnMissing, RangePolicy } from "../../domain/Plan.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { StreamRow } from "../../domain/streams/StreamRow.ts"
import { iso, type TimeRange } from "../../domain/TimeRange.ts"
import type { VendorDescription } from "../../services/AdapterRegistry.ts"
import { type RangeQuery, StitchingCache, type TickAnswer } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { nothingHad } from "../failure/nothingHad.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag, rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { titleOf } from "../flags/SeriesFlags.ts"
import { holeLines, holesOf, keptLines, sourceLine } from "../format/RangeLines.ts"
import { showPlan } from "../showPlan.ts"
import { rowLine } from "../streams/rowLine.ts"
import { rowDocument } from "../streams/streamDocuments.ts"
import { meantVendor, vendorFlag, vendorsHere, vendorsThere } from "../streams/streamVendor.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { styleOf } from "../terminal/Style.ts"
import { withData, withOwner } from "../withData.ts"

const flags = {
  symbol: Argument.String("symbol").pipe(Argument.withDescription("The symbol, in the vendor's spelling")),
  vendor: vendorFlag,
  kind: Flag.Literals("kind", ["trades", "quotes"]).pipe(
    Flag.withDescription("Every trade (default), or every change of the best bid and ask"),
    Flag.withDefault("trades" as const)
  ),
  ...rangeFlags,
  policy: Flag.Literals("policy", RangePolicy.literals).pipe(
    Flag.withDescription("May fetch: nothing, what is missing (default), also what is not final, everything"),
    Flag.withDefault("cacheFirst" as const)
  ),
  onMissing: Flag.Literals("on-missing", OnMissing.literals).pipe(
    Flag.withDescription("A range with holes is an error, or an answer that names them (default partial)"),
    Flag.withDefault("partial" as const)
  ),
  asOf: instantFlag("as-of", "The range as it was known then; fetches nothing").pipe(Flag.optional),
  plan: Flag.Boolean("plan").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Show what would be fetched at the least, and its wait; fetches nothing"),
    Flag.withDefault(false)
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const kinds = { trades: "trade", quotes: "quote" } as const

/** Milliseconds for which the vendor's history is waited for that does not have the end of a range yet, and between two looks. */
const longestWait = 60_000
const pause = 1_000

const isNotYet = ({ state }: Pick<CoverageInterval, "state">): boolean =>
  state._tag === "Missing" && state.cause?.tag === "NotYet"

/** Until the history has what has just happened: a plan says so, and costs nothing. */
const untilKnown = Effect.fnUntraced(function* (query: RangeQuery) {
  const cache = yield* StitchingCache
  for (let waited = 0; waited < longestWait; waited += pause) {
    const { pieces } = yield* cache.plan(query)
    if (!pieces.some(isNotYet)) return
    yield* Effect.sleep(pause)
  }
})

const read = Effect.fnUntraced(function* (input: Input, query: RangeQuery) {
  const cache = yield* StitchingCache
  const { note } = yield* Output
  const asOf = Option.getOrNull(input.asOf)
  if (asOf === null && query.policy !== "cacheOnly") yield* untilKnown(query)
  const label = { label: `fetching ${titleOf(query.series)}`, units: "holes", things: "rows" }
  return yield* withProgress(label, ({ report }) =>
    cache.ticks(query, {
      onMissing: input.onMissing,
      progress: ({ done, of, rows }) => report({ done, of, count: rows }),
      ...(asOf === null ? {} : { asOf })
    })
  ).pipe(Effect.onInterrupt(() => note("interrupted; what was fetched is kept, and the next run goes on from there")))
})

const show = Effect.fnUntraced(function* ({ kind, symbol }: StreamKey, answer: TickAnswer, json: boolean) {
  const { lines } = yield* Output
  const key = { vendor: answer.series.vendor, symbol, kind, timeframe: null, params: {} }
  const lineOf = (row: StreamRow): string =>
    json ? JSON.stringify({ symbol, ...rowDocument(row) }) : rowLine(key, row)
  yield* answer.rows.pipe(
    Stream.chunks,
    // What is shown of a quote is what the store keeps of it.
    Stream.runForEach((rows) => lines((rows as ReadonlyArray<unknown> as ReadonlyArray<StreamRow>).map(lineOf)))
  )
})

const rangeMeant = Effect.fnUntraced(function* (input: Input): Effect.fn.Return<TimeRange, UsageError> {
  const now = yield* Clock.currentTimeMillis
  const range = yield* rangeOf(input, "1m")
  if (range.end > now) {
    return yield* new UsageError({ message: `--to ${iso(range.end)} is in the future, of which there is no history` })
  }
  if (input.plan && Option.isSome(input.asOf)) {
    return yield* new UsageError({ message: "--as-of fetches nothing, so there is no plan to show" })
  }
  return range
})

const ticks = Effect.fn("tapestry ticks")(function* (input: Input) {
  const range = yield* rangeMeant(input)
  const { note, terminal, errorTerminal } = yield* Output
  const json = yield* Json
  const command = Effect.fnUntraced(function* (vendors: ReadonlyArray<VendorDescription>) {
    const cache = yield* StitchingCache
    const vendor = yield* meantVendor(input.vendor, vendors)
    const series = yield* cache.resolve(vendor, { symbol: input.symbol, kind: kinds[input.kind], timeframe: null })
    const query: RangeQuery = { series, range, policy: input.policy }
    if (input.plan) return yield* showPlan(query, json)
    const answer = yield* read(input, query)
    if (answer.rowCount === 0) yield* nothingHad(answer)
    const key = { vendor, symbol: series.symbol, kind: input.kind, timeframe: null, params: {} }
    yield* show(key, answer, json || !terminal.isTerminal)
    const { dim, yellow } = styleOf(errorTerminal)
    if (errorTerminal.isTerminal) yield* note(dim(sourceLine(answer)))
    const holes = holesOf(answer.coverage)
    for (const text of [...keptLines(answer.coverage), ...holeLines(holes)]) yield* note(yellow(text))
    if (holes.length > 0) return yield* new Ended({ code: 3 })
  })
  const here = Effect.flatMap(vendorsHere, command)
  // What asks nobody is read beside an owner, as everything that only reads.
  const asksNobody = input.policy === "cacheOnly" || Option.isSome(input.asOf)
  yield* asksNobody ? withData(here) : withOwner(here, (client) => Effect.flatMap(vendorsThere(client), command))
}, asCommand("ticks"))

export const command = Command.make("ticks", flags, ticks).pipe(
  Command.withDescription(
    "Single trades or quotes of a range from the vendor's history, page by page, through the archive into the store. What is stored already, of trades from a recording too, is not asked for again; what cannot be had is named. On a terminal a line a row, in a pipe or with --json one JSON object a line. Ends as bars does: 3 where a part could not be had."
  ),
  Command.withExamples([
    {
      command: "tapestry ticks SPY --vendor ibkr --from 2026-04-09T14:00:00Z --to 2026-04-09T14:10:00Z",
      description: "The trades of ten minutes of a day"
    },
    {
      command:
        "tapestry ticks EUR.USD --kind quotes --vendor ibkr --from 2026-04-09T14:00:00Z --to 2026-04-09T14:10:00Z --plan",
      description: "What having the bids and asks of a pair would take at the least"
    }
  ])
)
