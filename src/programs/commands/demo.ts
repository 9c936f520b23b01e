/**
 * The first minute with Tapestry: fetch half a year, ask for the whole year and see that only the missing half is fetched, ask
 * again and see that nothing is, and follow one number to the bytes it came from; then live data from a simulated gateway, through a break; then it is
 * served, to be tried from outside.
 * Everything happens in a temporary directory that is gone at the end, however it ends.
 */
import { Effect, FileSystem } from "effect"
import { Command, Flag } from "effect/cli"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { type RangeAnswer, StitchingCache } from "../../services/StitchingCache.ts"
import { asCommand } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { answerDocument, planDocument } from "../format/Documents.ts"
import { planSummary, planTable } from "../format/PlanLines.ts"
import { sourceLine } from "../format/RangeLines.ts"
import { receiptDocument } from "../format/ReceiptDocument.ts"
import { receiptLines } from "../format/ReceiptLines.ts"
import { wrap } from "../format/wrap.ts"
import { untilSignal } from "../runMain.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withDataIn } from "../withData.ts"

const half = { start: Date.UTC(2008, 6, 1), end: Date.UTC(2009, 0, 1) }
const year = { start: half.start, end: Date.UTC(2009, 6, 1) }
const day = Date.UTC(2008, 8, 29)

const flags = {
  once: Flag.Boolean("once").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Show it and end; without it, the directory is served until Ctrl-C, with commands to try"),
    Flag.withDefault(false)
  ),
  live: Flag.Int("live").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.withDescription("How long the live part takes (default 20); 0 leaves it out"),
    Flag.filter(
      (seconds) => seconds === 0 || (seconds >= 20 && seconds <= 3_600),
      () => "0, or 20 to 3600"
    ),
    Flag.withDefault(20)
  )
}

/** How the steps are told; nothing is said when a document is asked for. */
const narrator = Effect.fnUntraced(function* (silent: boolean) {
  const { lines, terminal } = yield* Output
  const style = styleOf(terminal)
  const width = terminal.isTerminal ? Math.min(terminal.columns, 90) : 90
  const say = (...texts: ReadonlyArray<string>) => (silent ? Effect.void : lines(texts))
  return {
    step: (number: number, title: string, text: string, command: string) =>
      say(style.bold(`${number}. ${title}`), ...wrap(text, width), "", style.dim(`   $ ${command}`)),
    shown: (texts: ReadonlyArray<string>) => say(...texts.map((text) => (text === "" ? "" : `   ${text}`)), ""),
    say,
    wrapped: (text: string) => say(...wrap(text, width)),
    style,
    width
  }
})

const bars = "tapestry bars SPX --vendor sample --timeframe 1d"

const rowsOf = (answer: RangeAnswer) => [sourceLine(answer)]

/** The last step, after which the vendor is gone again. */
const liveStep = Effect.fnUntraced(function* (
  tell: Effect.Success<ReturnType<typeof narrator>>,
  seconds: number,
  json: boolean
) {
  const { cutAfter, live, symbols } = yield* Effect.promise(() => import("../demo/live.ts"))
  yield* tell.step(
    5,
    `${seconds === 20 ? "Twenty" : seconds} seconds live, and through a break`,
    `Quotes and trades from a gateway of Interactive Brokers that is simulated in this process: its market is made up, all else is what a real one would be. After ${Math.round(seconds * cutAfter)} seconds the connection is cut. The same in two terminals:`,
    "tapestry gateway-sim"
  )
  yield* tell.say(tell.style.dim(`   $ IB_PORT=4001 tapestry quotes ${symbols.join(" ")}`), "")
  const { summary, ...found } = yield* live(seconds, json)
  yield* tell.say("")
  yield* tell.shown(wrap(summary, tell.width - 3))
  return found
})

const story = Effect.fnUntraced(function* (json: boolean, seconds: number) {
  const { line } = yield* Output
  const tell = yield* narrator(json)
  const cache = yield* StitchingCache
  const registry = yield* AdapterRegistry
  const vendor = yield* registry.fetcher("sample")
  const series = yield* vendor.fetch.series({ symbol: "SPX", kind: "bar", timeframe: "1d" })

  yield* tell.wrapped(
    "Tapestry fetches market data once, keeps every answer as it came, and knows what it has. This shows it on the S&P 500, which comes along as the vendor 'sample', in a temporary directory."
  )
  yield* tell.say("")

  yield* tell.step(
    1,
    "Ask for half a year",
    "Nothing is stored yet, so all of it is fetched.",
    `${bars} --from 2008-07-01 --to 2009-01-01`
  )
  const first = yield* cache.read({ series, range: half })
  yield* tell.shown(rowsOf(first))

  yield* tell.step(
    2,
    "Ask for the whole year",
    "The plan says beforehand what that takes: the first half is there, only the second is fetched.",
    `${bars} --from 2008-07-01 --to 2009-07-01 --plan`
  )
  const plan = yield* cache.plan({ series, range: year })
  yield* tell.shown([...planTable(plan), planSummary(plan)])
  const second = yield* cache.execute(plan)
  yield* tell.say(tell.style.dim(`   $ ${bars} --from 2008-07-01 --to 2009-07-01`))
  yield* tell.shown(rowsOf(second))

  yield* tell.step(
    3,
    "Ask again",
    "All of it is there, so nobody is asked.",
    `${bars} --from 2008-07-01 --to 2009-07-01`
  )
  const third = yield* cache.read({ series, range: year })
  yield* tell.shown(rowsOf(third))

  yield* tell.step(
    4,
    "Where does a number come from?",
    "29 September 2008, the day the index lost 8.8 %. The row leads to the answer it came in, the sha256 of that answer's exact bytes, and the line of the source file.",
    "tapestry explain SPX --vendor sample --timeframe 1d --at 2008-09-29"
  )
  const receipt = yield* cache.explain(series, day)
  yield* tell.shown(receiptLines(receipt, tell.style, tell.width - 3).slice(0, -2))

  const live = seconds === 0 ? null : yield* liveStep(tell, seconds, json)

  if (json) {
    yield* line(
      JSON.stringify({
        half: answerDocument(first),
        plan: planDocument(plan),
        year: answerDocument(second),
        again: answerDocument(third),
        explain: receiptDocument(receipt),
        live
      })
    )
  }
  return tell
})

const demo = Effect.fn("tapestry demo")(function* (input: Command.Command.Config.Infer<typeof flags>) {
  const { live, once } = input
  const json = yield* Json
  const fs = yield* FileSystem.FileSystem
  yield* Effect.scoped(
    Effect.gen(function* () {
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-demo-" })
      // A document is for programs, which would wait for its end.
      if (once || json) return yield* withDataIn(directory, story(json, live))
      const { serveDemo } = yield* Effect.promise(() => import("../serving/serveDemo.ts"))
      yield* withDataIn(
        directory,
        Effect.flatMap(story(json, live), (tell) => Effect.raceFirst(serveDemo(directory, tell.say), untilSignal))
      )
    })
  )
}, asCommand("demo"))

export const command = Command.make("demo", flags, demo).pipe(
  Command.withDescription(
    "A tour in half a minute: of sample data a range is fetched, a wider one only in part, the same one not at all, and one number is traced to its bytes; then twenty seconds of live data from a simulated gateway, whose connection is cut and whose gap is repaired. Then it is served, until Ctrl-C. Nothing is left behind."
  ),
  Command.withExamples([
    { command: "tapestry demo" },
    { command: "tapestry demo --once" },
    { command: "tapestry demo --once --live 0", description: "Without the live part, in seconds" }
  ])
)
