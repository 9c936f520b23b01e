import { Clock, Effect, Option, Ref, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { isRows } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey, StreamQuery } from "../../domain/streams/StreamKey.ts"
import { StreamKind } from "../../domain/streams/StreamKind.ts"
import { Timeframe } from "../../domain/Timeframe.ts"
import type { TapestryClient } from "../../rpc/client/TapestryClient.ts"
import type { VendorDescription } from "../../services/AdapterRegistry.ts"
import { type RecordedKind, Recorder, type RecordingEvent } from "../../services/Recorder.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { ageFlag, millisOf } from "../flags/AgeFlag.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { listOf } from "../recording/listOf.ts"
import { endText, progressText, recordingDocuments, streamName } from "../recording/recordingText.ts"
import { untilSignal } from "../runMain.ts"
import { meantVendor, vendorFlag, vendorsHere, vendorsThere } from "../streams/streamVendor.ts"
import { wordsOf } from "../streams/streamWords.ts"
import { Output } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { withOwner } from "../withData.ts"

const flags = {
  symbols: Flag.String("symbols").pipe(
    Flag.withMetavar("SYMBOL,..."),
    Flag.withDescription("The symbols, in the vendor's spelling, with commas between")
  ),
  kinds: Flag.String("kinds").pipe(
    Flag.withMetavar("KIND,..."),
    Flag.withDescription(`What of them: ${StreamKind.literals.join(", ")} (default trades)`),
    Flag.withDefault("trades")
  ),
  timeframes: Flag.String("timeframes").pipe(
    Flag.withMetavar("TIMEFRAME,..."),
    Flag.withDescription("Of which length bars are recorded: 5s,1m; the shortest that the vendor streams unless given"),
    Flag.optional
  ),
  vendor: vendorFlag,
  segment: ageFlag(
    "segment",
    "How old what came may become before it is archived, which is what a killed process loses (default 1m)"
  ).pipe(Flag.optional),
  for: Flag.String("for").pipe(
    Flag.withMetavar("DURATION"),
    Flag.withDescription("End after so long: 30s, 8h; until Ctrl-C unless given"),
    Flag.optional
  )
}

type Input = Command.Command.Config.Infer<typeof flags>

const kindOf = (given: string): Effect.Effect<StreamKind, UsageError> =>
  Effect.mapError(
    Schema.decodeUnknownEffect(StreamKind)(given),
    () => new UsageError({ message: `--kinds ${given}: expected some of ${StreamKind.literals.join(", ")}` })
  )

const timeframeOf = (given: string): Effect.Effect<Timeframe, UsageError> =>
  Effect.mapError(
    Schema.decodeUnknownEffect(Timeframe)(given),
    () => new UsageError({ message: `--timeframes ${given}: expected some of ${Timeframe.literals.join(", ")}` })
  )

/** Milliseconds that a server that went away has to come back, before the recording goes on without one. */
const leavesPlace = 5_000

const erase = "\r\u001b[2K"

/** Shows what is told, and ends as the recording did. */
const shown = Effect.fnUntraced(function* () {
  const { errorTerminal, line, lines, note, noteRaw } = yield* Output
  const json = yield* Json
  const style = styleOf(errorTerminal)
  const last = yield* Ref.make<{ readonly at: number; readonly kinds: ReadonlyArray<RecordedKind> } | null>(null)
  let streams: ReadonlyArray<StreamKey> = []
  let began: number | null = null
  const said = (text: string) => note(errorTerminal.isTerminal ? `${erase}${style.yellow(text)}` : text)
  const one = Effect.fnUntraced(function* (event: RecordingEvent) {
    if (event._tag === "Began") streams = event.streams
    if (json) yield* lines(recordingDocuments(event, streams).map((document) => JSON.stringify(document)))
    if (json && !errorTerminal.isTerminal) return
    switch (event._tag) {
      case "Began":
        return yield* json
          ? Effect.void
          : note(
              `recording ${event.streams.length === 1 ? "1 stream" : `${event.streams.length} streams`} as session ${event.session}; Ctrl-C ends it`
            )
      case "Word": {
        const stream = streams[event.stream]
        if (stream === undefined || isRows(event.event)) return
        const words = wordsOf(streamName(stream), event.event)
        return yield* words === null ? Effect.void : said(words)
      }
      case "Progress": {
        const before = yield* Ref.getAndSet(last, event)
        began ??= event.at
        if (!errorTerminal.isTerminal) return
        const text = progressText(event.at - began, event.kinds, before?.kinds ?? [], event.at - (before?.at ?? began))
        return yield* noteRaw(erase + style.dim(text.slice(0, errorTerminal.columns - 1)))
      }
      case "Ended":
        if (errorTerminal.isTerminal) yield* noteRaw(erase)
        for (const series of event.unstored)
          yield* said(`${series}: archived, and not stored yet; tapestry rebuild, or the next recording, has it stored`)
        return yield* json ? Effect.void : line(endText(event.session, event.kinds))
    }
  })
  return one
})

const record = Effect.fn("tapestry record")(function* (input: Input) {
  const symbols = yield* listOf("symbols", input.symbols)
  const kinds = yield* Effect.forEach(yield* listOf("kinds", input.kinds), kindOf)
  const span = Option.isSome(input.for) ? yield* millisOf("for", input.for.value) : null
  const segmentAge = Option.isSome(input.segment) ? yield* millisOf("segment", input.segment.value) : 60_000
  const timeframes = Option.isSome(input.timeframes)
    ? yield* Effect.forEach(yield* listOf("timeframes", input.timeframes.value), timeframeOf)
    : null
  if (timeframes !== null && !kinds.includes("bars")) {
    return yield* new UsageError({ message: "--timeframes are those of bars, and --kinds has none" })
  }
  const streams = kinds.flatMap((kind) =>
    symbols.flatMap(
      (symbol): ReadonlyArray<StreamQuery> =>
        kind === "bars" && timeframes !== null
          ? timeframes.map((timeframe) => ({ symbol, kind, timeframe }))
          : [{ symbol, kind }]
    )
  )
  const told = yield* Ref.make<"signal" | "time" | null>(null)
  const signal = Effect.andThen(untilSignal, Ref.set(told, "signal"))
  const deadline = span === null ? null : (yield* Clock.currentTimeMillis) + span
  const time = Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, (deadline ?? now) - now)))
  const until = deadline === null ? signal : Effect.raceFirst(signal, Effect.andThen(time, Ref.set(told, "time")))
  const one = yield* shown()
  const recordAs = Effect.fnUntraced(function* (vendors: ReadonlyArray<VendorDescription>) {
    const vendor = yield* meantVendor(input.vendor, vendors)
    const recorder = yield* Recorder
    yield* Stream.runForEach(recorder.record({ vendor, streams }, { until, segmentAge }), one)
  })
  const { note } = yield* Output
  const there = (client: TapestryClient["Service"]) =>
    Effect.flatMap(vendorsThere(client), recordAs).pipe(
      Effect.tapError((error) =>
        error._tag === "RecorderError" && error.reason._tag === "RecorderUnavailable" && error.reason.again
          ? note(`${error.reason.message}; another recording begins where there is somebody to do it`)
          : Effect.void
      )
    )
  yield* withOwner(Effect.flatMap(vendorsHere, recordAs), there, { leavesPlace })
  // All streams have ended, and nobody asked for that.
  if ((yield* Ref.get(told)) === null) return yield* new Ended({ code: 1 })
}, asCommand("record"))

export const command = Command.make("record", flags, record).pipe(
  Command.withDescription(
    "Records live streams until Ctrl-C: every row and every word about a stream goes into the archive, in segments that are durable before anything is stored from them. Trades, quotes, news and bars are stored as rows whose lineage is the segment and the line; bars in datasets of their own, recorded and, of those that are made here, built. What could not be had is told, and so is what a recording that was killed has lost."
  ),
  Command.withExamples([
    { command: "tapestry record --symbols SPY,QQQ --kinds trades,quotes --vendor ibkr", description: "Until Ctrl-C" },
    { command: "tapestry record --symbols SPY --for 8h --json", description: "A day of trades, told as JSON lines" }
  ])
)
