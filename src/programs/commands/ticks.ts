import { Clock, Effect, Ref, Stream } from "effect"
import { Argument, Command } from "effect/cli"
import type { JobSpec } from "../../domain/Job.ts"
import { isRecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical, type StreamKey } from "../../domain/streams/StreamKey.ts"
import { streamRepairType } from "../../domain/streams/StreamRepair.ts"
import type { StreamRow } from "../../domain/streams/StreamRow.ts"
import { iso, type TimeRange } from "../../domain/TimeRange.ts"
import type { TapestryClient } from "../../rpc/client/TapestryClient.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { MarketStreams } from "../../services/MarketStreams.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { rangeFlags, rangeOf } from "../flags/RangeFlags.ts"
import { concluded } from "../jobs/concluded.ts"
import { waitedFor } from "../jobs/waitedFor.ts"
import { rowLine } from "../streams/rowLine.ts"
import { rowDocument } from "../streams/streamDocuments.ts"
import { meantVendor, vendorFlag, vendorsHere, vendorsThere } from "../streams/streamVendor.ts"
import { Output } from "../terminal/Output.ts"
import { withData, withOwner } from "../withData.ts"

const flags = {
  symbol: Argument.String("symbol").pipe(Argument.withDescription("The symbol, in the vendor's spelling")),
  vendor: vendorFlag,
  ...rangeFlags
}

type Input = Command.Command.Config.Infer<typeof flags>

const longestKey = 255

const jobOf = (key: StreamKey, range: TimeRange): JobSpec => {
  const when = `${iso(range.start)}/${iso(range.end)}`
  return {
    key: `ticks/${canonical(key).slice(0, longestKey - 7 - when.length)}/${when}`,
    type: streamRepairType,
    payload: { stream: { ...key, params: { ...key.params } }, range: { ...range } }
  }
}

const ticks = Effect.fn("tapestry ticks")(function* (input: Input) {
  const now = yield* Clock.currentTimeMillis
  const given = yield* rangeOf(input, "1m")
  if (given.end > now) {
    return yield* new UsageError({ message: `--to ${iso(given.end)} is in the future, of which there is no history` })
  }
  const range = { start: given.start, end: given.end }
  const found = yield* Ref.make<StreamKey | null>(null)
  const keyOf = Effect.fnUntraced(function* (vendor: string) {
    const market = yield* MarketStreams
    const [key = null] = yield* market.keys({ vendor, streams: [{ symbol: input.symbol, kind: "trades" }] })
    yield* Ref.set(found, key)
  })
  const ask = (client: TapestryClient["Service"]) =>
    Effect.flatMap(vendorsThere(client), (vendors) => Effect.flatMap(meantVendor(input.vendor, vendors), keyOf))
  yield* withOwner(
    Effect.flatMap(vendorsHere, (vendors) => Effect.flatMap(meantVendor(input.vendor, vendors), keyOf)),
    ask
  )
  const key = yield* Ref.get(found)
  if (key === null) return
  // What is there is not asked for again, so that a job that was done before may as well be done once more.
  const { view } = yield* waitedFor(jobOf(key, range), Effect.void, {
    again: true,
    detached: false,
    label: `ticks of ${key.symbol}`
  })
  const { lines, terminal } = yield* Output
  const json = (yield* Json) || !terminal.isTerminal
  yield* withData(
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      const records = yield* RecordStore
      const series = (yield* registry.streamer(key.vendor)).stream.series(key)
      if (series === null || !isRecordSeries(series)) return
      const lineOf = (row: StreamRow): string =>
        json ? JSON.stringify({ symbol: key.symbol, ...rowDocument(row) }) : rowLine(key, row)
      yield* records.rows(series, range).pipe(
        Stream.chunks,
        // Rows of the series of a stream of trades are trades.
        Stream.runForEach((rows) => lines((rows as ReadonlyArray<unknown> as ReadonlyArray<StreamRow>).map(lineOf)))
      )
    })
  )
  yield* concluded(view)
}, asCommand("ticks"))

export const command = Command.make("ticks", flags, ticks).pipe(
  Command.withDescription(
    "The trades of a range from the vendor's history, page by page, through the archive into the store: what is stored already, from a recording or an earlier call, is not asked for again. On a terminal a line a trade, in a pipe or with --json one JSON object a line. Ends as bars does: 3 where a part could not be had."
  ),
  Command.withExamples([
    {
      command: "tapestry ticks SPY --vendor ibkr --from 2026-04-09T14:00:00Z --to 2026-04-09T14:10:00Z",
      description: "Ten minutes of a day"
    }
  ])
)
