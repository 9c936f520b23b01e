import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { CorporateAction, StoredAction } from "../../domain/CorporateAction.ts"
import { RangePolicy } from "../../domain/Plan.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import { stamps } from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { nothingHad } from "../failure/nothingHad.ts"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag, rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf, titleOf } from "../flags/SeriesFlags.ts"
import { coverageDocument, instant, rangeDocument } from "../format/Documents.ts"
import { holeLines, holesOf, span } from "../format/RangeLines.ts"
import { type Column, render } from "../format/Table.ts"
import { brief, moment } from "../format/ZonedTime.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { oneLine, styleOf } from "../terminal/Style.ts"
import { withCache, withData } from "../withData.ts"

const flags = {
  ...seriesFlags,
  timeframe: seriesFlags.timeframe.pipe(
    Flag.withDescription("Length of the bars that are fetched to learn of the actions (default 1d)"),
    Flag.withDefault("1d" as const)
  ),
  ...rangeFlags,
  policy: Flag.Literals("policy", RangePolicy.literals).pipe(
    Flag.withDescription("May fetch: nothing, what is missing (default), also what is not final, everything"),
    Flag.withDefault("cacheFirst" as const)
  ),
  asOf: instantFlag("as-of", "What was known of the range at that instant; fetches nothing").pipe(Flag.optional)
}

type Input = Command.Command.Config.Infer<typeof flags>

const columns: ReadonlyArray<Column> = [
  { header: "ex-date", align: "left" },
  { header: "action", align: "left" },
  { header: "value", align: "right" },
  { header: "currency", align: "left" },
  { header: "response", align: "right" },
  { header: "known since (UTC)", align: "left" }
]

const valueOf = (action: CorporateAction): string =>
  action.kind === "split" ? `${action.numerator}:${action.denominator}` : String(action.amount)

const row = ({ action, lineage }: StoredAction): ReadonlyArray<string> => [
  brief(action.ts),
  action.kind,
  valueOf(action),
  action.kind === "split" ? "" : (action.currency ?? "-"),
  String(lineage.response),
  moment(lineage.recordedAt)
]

const document = ({ action, lineage }: StoredAction) => ({
  ...action,
  ts: instant(action.ts),
  response: lineage.response,
  position: lineage.position,
  decoderVersion: lineage.decoderVersion,
  recordedAt: instant(lineage.recordedAt)
})

const actions = Effect.fn("tapestry actions")(function* (input: Input) {
  const json = yield* Json
  const { errorTerminal, line, lines, note, terminal } = yield* Output
  const asked: TimeRange = yield* rangeOf(input, input.timeframe)
  const asOf = Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {}
  // Ex-dates are dates, whatever the bars are that tell of them.
  const range = stamps("1d", asked)
  const command = Effect.gen(function* () {
    const cache = yield* StitchingCache
    const series = yield* seriesOf(input)
    const label = { label: `fetching ${titleOf(series)}`, units: "requests", things: "rows" }
    const answer = yield* withProgress(label, ({ report }) =>
      cache.read(
        { series, range: asked, policy: input.policy },
        {
          onMissing: "partial",
          progress: ({ done, of, rows }) => report({ done, of, count: rows }),
          ...asOf
        }
      )
    )
    const found = range === null ? [] : yield* cache.actions(series, range, asOf)
    const holes = holesOf(answer.coverage)
    if (found.length === 0) yield* nothingHad(answer)
    if (json) {
      const told = {
        series: canonical(series),
        range: rangeDocument(asked),
        actions: found.map(document),
        coverage: answer.coverage.map(coverageDocument)
      }
      yield* line(JSON.stringify(told))
    } else if (found.length === 0) {
      yield* line(
        `${series.vendor} has told of no splits, dividends or capital gains of ${series.symbol}, ${span(asked)}`
      )
    } else {
      const [header = "", ...rows] = render(
        columns,
        found.map((action) => row(action).map(oneLine))
      )
      yield* lines([styleOf(terminal).bold(header), ...rows])
    }
    if (holes.length === 0) return
    for (const text of holeLines(holes)) yield* note(styleOf(errorTerminal).yellow(text))
    return yield* new Ended({ code: 3 })
  })
  const asksNobody = input.policy === "cacheOnly" || Option.isSome(input.asOf)
  yield* asksNobody ? withData(command) : withCache(command)
}, asCommand("actions"))

export const command = Command.make("actions", flags, actions).pipe(
  Command.withDescription(
    "Splits, dividends and capital gains of a symbol, as its vendor tells them along with the bars. What is missing of the bars is fetched first. Amounts are as the vendor states them: one that adjusts its history for splits states them in today's shares."
  ),
  Command.withExamples([
    {
      command: "tapestry actions AAPL --vendor yahoo --from 2014-01-01 --to 2021-01-01",
      description: "Two splits of Apple, and its dividends"
    }
  ])
)
