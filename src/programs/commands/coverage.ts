import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { CoverageInterval } from "../../domain/Coverage.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag, rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf, titleOf } from "../flags/SeriesFlags.ts"
import { coverageTable } from "../format/CoverageTable.ts"
import { coverageDocument, rangeDocument } from "../format/Documents.ts"
import { span } from "../format/RangeLines.ts"
import { legend, strip } from "../format/Strip.ts"
import { windowed } from "../format/windowed.ts"
import { brief } from "../format/ZonedTime.ts"
import { Output, type Terminal } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withData } from "../withData.ts"

const flags = {
  ...seriesFlags,
  ...rangeFlags,
  asOf: instantFlag("as-of", "What was known of the range at that instant").pipe(Flag.optional)
}

type Input = Command.Command.Config.Infer<typeof flags>

const always: TimeRange = { start: -62_135_596_800_000, end: 253_402_300_800_000 }

/** From the first to the last instant about which something is stored; null when nothing is. */
const knownRange = Effect.fnUntraced(function* (series: SeriesKey, asOf: { readonly asOf?: number }) {
  const store = yield* MarketStore
  const known = yield* store.coverage(series, always, asOf)
  const first = known[0]
  const last = known.at(-1)
  return first === undefined || last === undefined ? null : { start: first.start, end: last.end }
})

const indent = "  "

/** The strip with the dates of its ends under it, and what its glyphs mean. */
const picture = (intervals: ReadonlyArray<CoverageInterval>, range: TimeRange, columns: number) => {
  const width = Math.max(20, Math.min(columns - 2 * indent.length, 96))
  const from = brief(range.start)
  const to = brief(range.end)
  return [
    indent + strip(intervals, range, width),
    indent + from + " ".repeat(Math.max(1, width - from.length - to.length)) + to,
    "",
    indent + legend(intervals)
  ]
}

const text = (series: SeriesKey, range: TimeRange, intervals: ReadonlyArray<CoverageInterval>, terminal: Terminal) => {
  const style = styleOf(terminal)
  const [header = "", ...rows] = coverageTable(intervals)
  // The title, the picture and the blank lines between them take ten lines.
  const height = terminal.isTerminal ? terminal.rows - 10 : null
  return [
    style.bold(`${titleOf(series)} from ${series.vendor}, ${span(range)}`),
    "",
    ...picture(intervals, range, terminal.columns),
    "",
    style.bold(header),
    ...windowed(rows, height, (left) => style.dim(`… ${left} (use --json or a pipe for all)`))
  ]
}

const coverage = Effect.fn("tapestry coverage")(function* (input: Input) {
  const json = yield* Json
  const { line, lines, terminal } = yield* Output
  const whole = Option.isNone(input.from) && Option.isNone(input.to) && Option.isNone(input.last)
  const asked = whole ? null : yield* rangeOf(input, input.timeframe)
  const asOf = Option.isSome(input.asOf) ? { asOf: input.asOf.value } : {}
  yield* withData(
    Effect.gen(function* () {
      const cache = yield* StitchingCache
      const series = yield* seriesOf(input)
      const range = asked ?? (yield* knownRange(series, asOf))
      const intervals = range === null ? [] : yield* cache.coverage(series, range, asOf)
      if (json) {
        const document = {
          series: canonical(series),
          range: range === null ? null : rangeDocument(range),
          coverage: intervals.map(coverageDocument)
        }
        return yield* line(JSON.stringify(document))
      }
      if (range === null) return yield* line(`nothing is known of ${titleOf(series)} from ${series.vendor} yet`)
      yield* lines(text(series, range, intervals, terminal))
    })
  )
}, asCommand("coverage"))

export const command = Command.make("coverage", flags, coverage).pipe(
  Command.withDescription(
    "What is known of a range of a series, and by which answer: a strip of blocks and the intervals behind it. Nobody is asked. Without a range: all that is known."
  ),
  Command.withExamples([
    {
      command: "tapestry coverage SPX --vendor sample --timeframe 1d",
      description: "All that is known"
    },
    {
      command: "tapestry coverage SPX --vendor sample --timeframe 1d --from 2008-01-01 --to 2010-01-01",
      description: "A range"
    }
  ])
)
