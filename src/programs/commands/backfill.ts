import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { backfillType } from "../../domain/Backfill.ts"
import { isTerminal } from "../../domain/Job.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag, rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { partsOf, seriesFlags } from "../flags/SeriesFlags.ts"
import { jobHoleLines, outcomeLine, shortId, viewDocument } from "../format/jobRows.ts"
import { counted } from "../format/Numbers.ts"
import { backfilled } from "../jobs/backfilled.ts"
import { concluded } from "../jobs/concluded.ts"
import { specFlags, specOf } from "../jobs/jobFlags.ts"
import { tellQueued } from "../jobs/queued.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"

const { symbol: _, vendor: __, ...oneSeries } = seriesFlags
const { attempts: ___, ...spec } = specFlags

const flags = {
  symbols: Argument.String("symbol").pipe(
    Argument.withDescription("The symbols, in the vendor's spelling"),
    Argument.variadic({ min: 1 })
  ),
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Whose data; 'tapestry vendors list' names them")
  ),
  ...oneSeries,
  ...rangeFlags,
  to: instantFlag("to", "End of the range, itself not part of it; the start of today (UTC) unless given").pipe(
    Flag.optional
  ),
  policy: Flag.Literals("policy", ["cacheFirst", "refresh", "force"]).pipe(
    Flag.withDescription("Fetch what is missing (default), also what is not final, everything"),
    Flag.withDefault("cacheFirst" as const)
  ),
  ...spec,
  attempts: Flag.Int("attempts").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How often what could not be had is tried in all, with longer and longer pauses (default 3)"),
    Flag.withDefault(3)
  ),
  detach: Flag.Boolean("detach").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Only queue it; tapestry serve or tapestry jobs work does it"),
    Flag.withDefault(false)
  )
}

const day = 86_400_000

type Input = Command.Command.Config.Infer<typeof flags>

/** What is to be had, as the payload of a job. */
const payloadOf = Effect.fnUntraced(function* (input: Input) {
  // In one order, so that the same symbols are the same job.
  const [first, ...rest] = [...new Set(input.symbols.map((symbol) => symbol.trim()))].sort()
  if (first === undefined || first === "") return yield* new UsageError({ message: "a symbol is empty" })
  // All of one day end alike, so that the same command is the same job.
  const today = Math.floor((yield* Clock.currentTimeMillis) / day) * day
  const to = Option.isNone(input.to) && Option.isNone(input.last) ? Option.some(today) : input.to
  const range = yield* rangeOf({ ...input, to }, input.timeframe)
  if (Option.isSome(input.cron) && Option.isNone(input.last)) {
    return yield* new UsageError({
      message:
        "--cron would fetch the same range for ever; say --last, which is counted from the day on which it is begun"
    })
  }
  const { kind: _, timeframe: __, ...parts } = partsOf(input)
  return {
    vendor: input.vendor,
    timeframe: input.timeframe,
    symbols: [first, ...rest] as const,
    ...parts,
    ...(Option.isSome(input.cron) && Option.isSome(input.last)
      ? { last: input.last.value }
      : { range: { start: range.start, end: range.end } }),
    ...(input.policy === "cacheFirst" ? {} : { policy: input.policy })
  }
})

const titleOf = (symbols: ReadonlyArray<string>, timeframe: string): string => {
  const [first = "", ...rest] = symbols
  return `${first}${rest.length === 0 ? "" : ` and ${counted(rest.length, "more symbol")}`} ${timeframe}`
}

const backfill = Effect.fn("tapestry backfill")(function* (input: Input) {
  const json = yield* Json
  const { errorTerminal, line, note, terminal } = yield* Output
  const now = yield* Clock.currentTimeMillis
  const payload = yield* payloadOf(input)
  const wanted = yield* specOf(input, { type: backfillType, payload }, now)
  const detached = input.detach || Option.isSome(input.cron)
  const { created, view } = yield* backfilled(wanted, payload, {
    again: input.again,
    detached,
    title: titleOf(payload.symbols, input.timeframe)
  })
  if (detached) return yield* tellQueued({ created, job: view.job })
  if (json) yield* line(JSON.stringify(viewDocument(view)))
  else yield* line(styleOf(terminal).dim(outcomeLine(view)))
  for (const text of jobHoleLines(view)) yield* note(styleOf(errorTerminal).yellow(text))
  if (!created && isTerminal(view.job.state)) {
    yield* note(`this was done before, by job ${shortId(view.job.id)}; --again does it anew`)
  }
  yield* concluded(view)
}, asCommand("backfill"))

export const command = Command.make("backfill", flags, backfill).pipe(
  Command.withDescription(
    "Has the bars of several symbols fetched as a job: request by request, each once. It survives the end of this process, however that comes: the same command, tapestry serve or tapestry jobs work goes on where it was. Ends as bars does: 3 where a part could not be had."
  ),
  Command.withExamples([
    {
      command: "tapestry backfill SPX --vendor sample --timeframe 1d --from 2000-01-01 --to 2010-01-01",
      description: "Ten years, with progress"
    },
    {
      command: "tapestry backfill AAPL MSFT --vendor yahoo --timeframe 1d --from 2000-01-01 --detach --priority low",
      description: "Queued for tapestry serve"
    },
    {
      command: "tapestry backfill EURUSD --vendor fx --timeframe 1m --last 5d --cron '15 22 * * 1-5'",
      description: "Every working day"
    }
  ])
)
