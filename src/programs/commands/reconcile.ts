import { Effect, Result, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { ValidationError } from "effect/cli/CliError"
import { parseTolerances, ReconciledField } from "../../domain/Mismatch.ts"
import { RangePolicy } from "../../domain/Plan.ts"
import { type ReconcileQuery, type ReconcileReport, Reconciliation } from "../../services/Reconciliation.ts"
import type { ReadProgress } from "../../services/StitchingCache.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { rangeFlags, rangeOf, zoneFlag } from "../flags/RangeFlags.ts"
import { seriesFlags, seriesOf } from "../flags/SeriesFlags.ts"
import { reconcileHoles, reconcileLines } from "../format/ReconcileLines.ts"
import { reconcileDocument } from "../format/reconcileDocument.ts"
import { Output } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { styleOf } from "../terminal/Style.ts"
import { withOwner } from "../withData.ts"

const { vendor: _, ...oneSeries } = seriesFlags

const flags = {
  ...oneSeries,
  vendors: Flag.String("vendors").pipe(
    Flag.withMetavar("A,B"),
    Flag.withDescription("The two vendors, with a comma between them; the second one's symbol may be added: A,B:SYMBOL")
  ),
  tolerance: Flag.String("tolerance").pipe(
    Flag.withMetavar("FIELD=VALUE"),
    Flag.withDescription(
      `How near values have to be: close=0.001,volume=5%; price stands for open, high, low and close. Fields: ${ReconciledField.literals.join(" ")}; vwap and count are compared only when named`
    ),
    Flag.mapEffect((text) =>
      Result.match(parseTolerances(text), {
        onSuccess: (tolerances) => Effect.succeed(tolerances),
        onFailure: (problem) => Effect.fail(new ValidationError({ message: `--tolerance: ${problem}` }))
      })
    ),
    Flag.withDefault({})
  ),
  ...rangeFlags,
  policy: Flag.Literals("policy", RangePolicy.literals).pipe(
    Flag.withDescription("May fetch: nothing, what is missing (default), also what is not final, everything"),
    Flag.withDefault("cacheFirst" as const)
  ),
  tz: zoneFlag
}

type Input = Command.Command.Config.Infer<typeof flags>

/** `yahoo,stooq` or `yahoo,stooq:aapl.us`; the symbol of the first is the argument. */
const sides = Effect.fnUntraced(function* ({ symbol, vendors }: Input) {
  const [left = "", right = "", ...more] = vendors.split(",").map((word) => word.trim())
  const [rightVendor = "", ...rest] = right.split(":")
  if (left === "" || rightVendor === "" || more.length > 0) {
    return yield* new UsageError({ message: `--vendors ${vendors}: expected two vendors, such as yahoo,stooq` })
  }
  const rightSymbol = rest.length === 0 ? symbol : rest.join(":")
  return { left: { vendor: left, symbol }, right: { vendor: rightVendor, symbol: rightSymbol } }
})

const reconcile = Effect.fn("tapestry reconcile")(function* (input: Input) {
  const json = yield* Json
  const { errorTerminal, line, lines, note, terminal } = yield* Output
  const range = yield* rangeOf(input, input.timeframe)
  const { left, right } = yield* sides(input)
  const query = Effect.gen(function* () {
    const common = { range, tolerances: input.tolerance, policy: input.policy }
    const made: ReconcileQuery = {
      left: yield* seriesOf({ ...input, ...left }),
      right: yield* seriesOf({ ...input, ...right }),
      ...common
    }
    return made
  })
  const label = { label: `comparing ${input.symbol} ${input.timeframe}`, units: "requests", things: "rows" }
  const report = yield* withProgress(label, ({ report: tell }) => {
    const progress = ({ done, of, rows }: ReadProgress) => tell({ done, of, count: rows })
    return withOwner(
      Effect.flatMap(query, (made) => Reconciliation.use((service) => service.reconcile(made, { progress }))),
      (client) =>
        Effect.gen(function* () {
          let last: ReconcileReport | null = null
          yield* Stream.runForEach(client["Reconcile.run"](yield* query), (event) => {
            if (event._tag === "Progress") return progress(event)
            last = event.report
            return Effect.void
          })
          return last === null ? yield* Effect.die(new Error("the comparison ended without a report")) : last
        })
    )
  })
  const holes = reconcileHoles(report)
  if (json) yield* line(JSON.stringify(reconcileDocument(report)))
  else yield* lines(reconcileLines(report, input.timeframe, input.tz, terminal))
  for (const hole of holes) yield* note(styleOf(errorTerminal).yellow(hole))
  if (report.mismatched > 0 || holes.length > 0) return yield* new Ended({ code: 3 })
}, asCommand("reconcile"))

export const command = Command.make("reconcile", flags, reconcile).pipe(
  Command.withDescription(
    "Compares what two vendors say of the same bars, where both are final. What is missing of either is fetched first. Every disagreement is kept; one that is not found any more is marked as resolved. Ends with 3 when there is any, or when a part could not be compared."
  ),
  Command.withExamples([
    {
      command:
        "tapestry reconcile AAPL --vendors yahoo,stooq:aapl.us --timeframe 1d --from 2024-01-01 --to 2025-01-01 --tolerance price=0.01,volume=5%",
      description: "A year, cent for cent, with a looser eye on the volume"
    }
  ])
)
