import { Effect, Option, Result, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { parseInstant } from "../../domain/Instant.ts"
import { ResponseId } from "../../domain/Response.ts"
import type { KnownRow, Moment, RowDifference } from "../../domain/RowDifference.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf, titleOf } from "../flags/SeriesFlags.ts"
import { type DifferenceTable, differenceTable } from "../format/DifferenceTable.ts"
import { instant, rangeDocument } from "../format/Documents.ts"
import { counted } from "../format/Numbers.ts"
import { span } from "../format/RangeLines.ts"
import { brief } from "../format/ZonedTime.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withData } from "../withData.ts"

const flags = {
  ...seriesFlags,
  second: Argument.String("T2").pipe(
    Argument.withDescription("The second of the two instants of --between T1 T2"),
    Argument.optional
  ),
  ...rangeFlags,
  between: Flag.String("between").pipe(
    Flag.withMetavar("T1 T2"),
    Flag.withDescription("Two instants of knowledge, or the ids of two responses; also as T1,T2")
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const always: TimeRange = { start: -62_135_596_800_000, end: 253_402_300_800_000 }

const momentOf = (text: string): Effect.Effect<Moment, UsageError> =>
  /^[1-9]\d{0,14}$/.test(text)
    ? Effect.succeed({ response: ResponseId.make(Number(text)) })
    : Result.match(parseInstant(text), {
        onSuccess: (at) => Effect.succeed(at),
        onFailure: (problem) =>
          Effect.fail(new UsageError({ message: `--between ${problem}, or the id of a response` }))
      })

const betweenOf = Effect.fnUntraced(function* (input: Input) {
  const parts = [...input.between.split(","), ...Option.toArray(input.second)].map((part) => part.trim())
  const [first, second, ...more] = parts
  if (first === undefined || second === undefined || more.length > 0) {
    return yield* new UsageError({
      message: "--between takes two instants, or the ids of two responses: diff SYMBOL --between T1 T2"
    })
  }
  const between: readonly [Moment, Moment] = [yield* momentOf(first), yield* momentOf(second)]
  const [from, to] = between
  if (typeof from === "number" && typeof to === "number" && from >= to) {
    return yield* new UsageError({ message: `--between is reversed: ${brief(from)} is not before ${brief(to)}` })
  }
  return between
})

/** Everything about which something is stored; null when nothing is. */
const knownRange = Effect.fnUntraced(function* (series: SeriesKey) {
  const store = yield* MarketStore
  const known = yield* store.coverage(series, always)
  const first = known[0]
  const last = known.at(-1)
  return first === undefined || last === undefined ? null : { start: first.start, end: last.end }
})

const sideDocument = (row: KnownRow | null) =>
  row === null ? null : { bar: row.bar, final: row.final, response: row.response, fetchedAt: instant(row.recordedAt) }

const rowDocument = ({ after, before, kind, ts }: RowDifference) => ({
  ts: instant(ts),
  kind,
  before: sideDocument(before),
  after: sideDocument(after)
})

const emptyTally = () => ({ added: 0, withdrawn: 0, changed: 0, unknown: 0 })
type Tally = ReturnType<typeof emptyTally>

/** Rows are written as they are found: a document of any length is never in memory. */
const asJson = Effect.fnUntraced(function* (
  series: SeriesKey,
  range: TimeRange | null,
  found: Stream.Stream<RowDifference, unknown>,
  tally: Tally
) {
  const { write } = yield* Output
  const head = JSON.stringify({ series: canonical(series), range: range === null ? null : rangeDocument(range) })
  let separator = ""
  yield* write(`${head.slice(0, -1)},"rows":[`)
  yield* Stream.runForEachArray(found, (rows) => {
    const text = rows.map((row) => JSON.stringify(rowDocument(row))).join(",")
    const written = separator + text
    separator = ","
    return write(written)
  })
  yield* write(`],${JSON.stringify(tally).slice(1)}\n`)
})

const asText = Effect.fnUntraced(function* (
  series: SeriesKey,
  range: TimeRange,
  found: Stream.Stream<RowDifference, unknown>
) {
  const { line, lines, terminal } = yield* Output
  const style = styleOf(terminal)
  let table: DifferenceTable | null = null
  yield* line(style.bold(`${titleOf(series)} from ${series.vendor}, ${span(range)}`))
  yield* Stream.runForEachArray(found, (rows) => {
    const begun = table
    table = begun ?? differenceTable(series.timeframe ?? "1d", rows)
    const { header, row } = table
    return lines([...(begun === null ? ["", style.bold(header)] : []), ...rows.map(row)])
  })
  if (table !== null) yield* line("")
})

const summary = ({ added, changed, unknown, withdrawn }: Tally): string =>
  added + changed + withdrawn + unknown === 0
    ? "nothing was changed"
    : [`${added} added`, `${withdrawn} withdrawn`, `${changed} changed`].join(", ")

const diff = Effect.fn("tapestry diff")(function* (input: Input) {
  const json = yield* Json
  const { line, note } = yield* Output
  const between = yield* betweenOf(input)
  const whole = Option.isNone(input.from) && Option.isNone(input.to) && Option.isNone(input.last)
  const asked = whole ? null : yield* rangeOf(input, input.timeframe)
  yield* withData(
    Effect.gen(function* () {
      const cache = yield* StitchingCache
      const series = yield* seriesOf(input)
      const range = asked ?? (yield* knownRange(series))
      const tally = emptyTally()
      const found =
        range === null
          ? Stream.empty
          : Stream.tap(cache.diff(series, range, between), ({ kind }) =>
              Effect.sync(() => {
                tally[kind]++
              })
            )
      if (json) yield* asJson(series, range, found, tally)
      else if (range === null) {
        yield* line(`nothing is known of ${titleOf(series)} from ${series.vendor} yet`)
      } else {
        yield* asText(series, range, found)
        yield* line(summary(tally))
      }
      if (tally.unknown > 0) {
        yield* note(
          `${counted(tally.unknown, "row")} cannot be compared: a provisional value that another one replaced is not kept`
        )
      }
      if (tally.added + tally.withdrawn + tally.changed > 0) return yield* new Ended({ code: 3 })
    })
  )
}, asCommand("diff"))

export const command = Command.make("diff", flags, diff).pipe(
  Command.withDescription(
    "What a vendor changed of a series between two instants: rows added, withdrawn and changed, with both values and the two answers that gave them. Nobody is asked. Without a range: all that is known. Ends with 3 when there are differences, with 0 when there are none."
  ),
  Command.withExamples([
    {
      command: "tapestry diff SPX --vendor sample --timeframe 1d --between 2026-11-20 2026-11-21",
      description: "What became known that day and contradicts what had been known"
    },
    {
      command: "tapestry diff SPX --vendor sample --timeframe 1d --from 2008-01-01 --to 2009-01-01 --between 12 15",
      description: "A range, from what was known with response 12 to response 15"
    }
  ])
)
