import { Effect, Option, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { isRows } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { speedIn } from "../../layers/recording/Speed.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { MarketStreams } from "../../services/MarketStreams.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { listOf } from "../recording/listOf.ts"
import { rowLine } from "../streams/rowLine.ts"
import { documentsOf } from "../streams/streamDocuments.ts"
import { wordsOf } from "../streams/streamWords.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withData } from "../withData.ts"

const flags = {
  session: Argument.Int("session").pipe(
    Argument.withDescription("The session that was recorded, as 'tapestry archive sessions' lists it")
  ),
  speed: Flag.String("speed").pipe(
    Flag.withMetavar("X"),
    Flag.withDescription("How many seconds of the recording pass in one (default 1), or max: as fast as it is read"),
    Flag.withDefault("1")
  ),
  symbols: Flag.String("symbols").pipe(
    Flag.withMetavar("SYMBOL,..."),
    Flag.withDescription("Of these symbols alone"),
    Flag.optional
  ),
  kinds: Flag.String("kinds").pipe(
    Flag.withMetavar("KIND,..."),
    Flag.withDescription("Of these kinds alone"),
    Flag.optional
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const loadRecording = Effect.promise(() =>
  Promise.all([import("../../layers/recording/ReplayAdapter.ts"), import("../../layers/recording/RecordedSession.ts")])
)

/** None of the configuration is called so. */
const vendor = "replayed.session"

const selected = Effect.fnUntraced(function* (
  given: Option.Option<string>,
  name: "symbols" | "kinds",
  of: ReadonlyArray<string>
) {
  if (Option.isNone(given)) return null
  const wanted = yield* listOf(name, given.value)
  for (const one of wanted) {
    if (!of.includes(one)) {
      const there = [...new Set(of)].join(", ")
      return yield* new UsageError({ message: `--${name} ${one}: the session has ${there}` })
    }
  }
  return new Set(wanted)
})

const replay = Effect.fn("tapestry replay")(function* (input: Input) {
  const speed = speedIn(input.speed)
  if (speed === null) {
    return yield* new UsageError({ message: `--speed ${input.speed}: expected a number above 0 such as 10, or max` })
  }
  const { lines, note, terminal } = yield* Output
  const json = (yield* Json) || !terminal.isTerminal
  const style = styleOf(terminal)
  yield* withData(
    Effect.gen(function* () {
      const [ReplayAdapter, { recordedSession }] = yield* loadRecording
      const archive = yield* ProvenanceStore
      const registry = yield* AdapterRegistry
      const market = yield* MarketStreams
      const { streams } = yield* recordedSession(archive, input.session)
      const all = streams.map(({ opening }) => opening.stream)
      const symbols = yield* selected(
        input.symbols,
        "symbols",
        all.map(({ symbol }) => symbol)
      )
      const kinds = yield* selected(
        input.kinds,
        "kinds",
        all.map(({ kind }) => kind)
      )
      const keys: ReadonlyArray<StreamKey> = all.filter(
        ({ kind, symbol }) => (symbols === null || symbols.has(symbol)) && (kinds === null || kinds.has(kind))
      )
      if (keys.length === 0)
        return yield* new UsageError({ message: "the session has none of these kinds of these symbols" })
      yield* registry.register(
        ReplayAdapter.make({
          name: vendor,
          description: `the recording of session ${input.session}`,
          session: input.session,
          speed,
          archive: Effect.succeed(archive)
        })
      )
      const queries = keys.map(({ kind, params, symbol, timeframe }) => ({
        symbol,
        kind,
        params,
        ...(timeframe === null ? {} : { timeframe })
      }))
      const policy = { _tag: "lossless", rows: 100_000 } as const
      yield* market.items({ vendor, streams: queries }, { policy }).pipe(
        Stream.chunks,
        Stream.runForEach(
          Effect.fnUntraced(function* (items) {
            if (json) {
              const documents = items.flatMap((item) => documentsOf(item, keys))
              return yield* lines(documents.map((document) => JSON.stringify(document)))
            }
            for (const { event, stream } of items) {
              const key = keys[stream]
              if (key === undefined) continue
              if (isRows(event)) yield* lines(event.rows.map((row) => rowLine(key, row)))
              else {
                const words = wordsOf(`${key.symbol} ${key.kind}`, event)
                if (words !== null) yield* note(style.yellow(words))
              }
            }
          })
        )
      )
    }).pipe(Effect.scoped)
  )
}, asCommand("replay"))

export const command = Command.make("replay", flags, replay).pipe(
  Command.withDescription(
    "Tells a recorded session again: the same rows and words in the same order, gaps in band, through the same streams, at the pace of the recording, faster, or as fast as it is read. In a pipe, or with --json, one JSON object a line. A vendor of 'adapter: replay' in the configuration gives it to every other command. Asks nobody, and writes nothing."
  ),
  Command.withExamples([
    { command: "tapestry replay 12 --speed 10", description: "Ten times as fast as it was" },
    { command: "tapestry replay 12 --speed max --kinds trades --json", description: "For a program" }
  ])
)
