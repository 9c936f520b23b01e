/**
 * What the store has of recorded tapes at the end, held against what happened and against what was told.
 *
 * What coverage claims has every row that there was, as often as it was and with its values, and no other; what it does not claim has no row that never was.
 * No segment claims what was told as unrepairable: only an answer of the vendor's history can prove that, which a job has had.
 */
import { Effect, Stream } from "effect"
import type { StoredState } from "../../src/domain/Coverage.ts"
import * as Intervals from "../../src/domain/Intervals.ts"
import { isRecordSeries } from "../../src/domain/records/RecordKind.ts"
import type { SeriesKey } from "../../src/domain/SeriesKey.ts"
import type { StreamKey, StreamQuery } from "../../src/domain/streams/StreamKey.ts"
import { isTape } from "../../src/domain/streams/StreamKind.ts"
import { millisOf, type StreamRow } from "../../src/domain/streams/StreamRow.ts"
import * as Timeframe from "../../src/domain/Timeframe.ts"
import { iso, type TimeRange } from "../../src/domain/TimeRange.ts"
import { recordedSeries } from "../../src/layers/recording/recordedSeries.ts"
import { segmentKind } from "../../src/layers/recording/segmentRequest.ts"
import type { GatewaySimulator } from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { Imports } from "../../src/services/Imports.ts"
import { MarketStore } from "../../src/services/MarketStore.ts"
import { MarketStreams } from "../../src/services/MarketStreams.ts"
import { ProvenanceStore } from "../../src/services/ProvenanceStore.ts"
import { RecordStore } from "../../src/services/RecordStore.ts"
import { StitchingCache } from "../../src/services/StitchingCache.ts"
import { marketOf } from "./lines.ts"
import type { ToldStream } from "./recording.ts"
import { rowsCompared } from "./rowsCompared.ts"
import type { RowsOfMarket } from "./TapeCheck.ts"

export interface StoredTape {
  readonly problems: ReadonlyArray<string>
  /** What no coverage claims. */
  readonly holes: ReadonlyArray<string>
  readonly rows: number
  /** Milliseconds of the range, and how many of them no coverage claims. */
  readonly span: number
  readonly unclaimed: number
}

const some = (name: string, what: string, texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  texts.length === 0 ? [] : [`${name}: ${texts.length} ${what}, such as ${texts[0]}`]

/** What is provisional is told as not to be relied on: a bar that came live in a gap. */
const isFinal = ({ _tag }: StoredState): boolean => _tag === "Covered" || _tag === "Empty"

const rangeText = ({ end, start }: TimeRange) => `${iso(start)}/${iso(end)}`

const rowsOf = Effect.fnUntraced(function* (series: SeriesKey, range: TimeRange) {
  const [market, records] = [yield* MarketStore, yield* RecordStore]
  const rows: ReadonlyArray<StreamRow> = isRecordSeries(series)
    ? ((yield* Stream.runCollect(records.rows(series, range))) as unknown as ReadonlyArray<StreamRow>)
    : yield* Stream.runCollect(market.bars(series, range))
  return rows
})

/** One series of a tape: what of the range it claims, and what is wrong with it. */
const storedSeries = Effect.fnUntraced(function* (
  key: StreamKey,
  series: SeriesKey,
  range: TimeRange,
  told: ReadonlyArray<TimeRange>,
  truth: ReadonlyArray<StreamRow>
) {
  const name = `stored ${key.kind} of ${key.symbol}${series.dataset === null ? "" : ` (${series.dataset})`}`
  const [store, archive] = [yield* MarketStore, yield* ProvenanceStore]
  const coverage = (yield* store.coverage(series, range)).filter(({ state }) => isFinal(state))
  const claimed = Intervals.normalise(coverage)
  const fromSegments: Array<TimeRange> = []
  for (const { end, start, state } of coverage) {
    const { request } = yield* archive.response(state.response)
    if ((yield* archive.request(request)).kind === segmentKind) fromSegments.push({ start, end })
  }
  const rows = yield* rowsOf(series, range)
  let place = 0
  const isClaimed = (row: StreamRow): boolean => {
    const millis = millisOf(row)
    while (place < claimed.length && (claimed[place]?.end ?? 0) <= millis) place++
    return (claimed[place]?.start ?? Number.POSITIVE_INFINITY) <= millis
  }
  const within = rows.filter(isClaimed)
  place = 0
  const { less, more } = rowsCompared(key.kind, within, truth.filter(isClaimed))
  const strays = rowsCompared(key.kind, rows, truth).more
  const overclaimed = Intervals.intersect(told, Intervals.normalise(fromSegments)).map(rangeText)
  return {
    claimed,
    rows: rows.length,
    problems: [
      ...some(name, "rows are claimed and missing", less),
      ...some(name, "rows never happened, or are there twice", more.length > 0 ? more : strays),
      ...some(name, "ranges that were told as unrepairable are claimed by a recording", overclaimed)
    ]
  }
})

const storedTape = Effect.fnUntraced(function* (
  key: StreamKey,
  series: ReadonlyArray<SeriesKey>,
  range: TimeRange,
  missing: ReadonlyArray<TimeRange>,
  market: RowsOfMarket
) {
  const told = Intervals.intersect([range], Intervals.normalise(missing))
  const truth = market(range.start, range.end)
  const parts = yield* Effect.forEach(series, (one) => storedSeries(key, one, range, told, truth))
  const claimed = parts.reduce<Intervals.Ranges>((all, one) => Intervals.union(all, one.claimed), [])
  const tape: StoredTape = {
    holes: Intervals.subtract([range], claimed).map((hole) => `${key.kind} of ${key.symbol} ${rangeText(hole)}`),
    problems: parts.flatMap(({ problems }) => problems),
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    span: range.end - range.start,
    unclaimed: range.end - range.start - Intervals.total(claimed)
  }
  return tape
})

/** How much of the tapes' time nothing claims. */
export const shareOf = (tapes: ReadonlyArray<StoredTape>): number => {
  const sum = (of: "span" | "unclaimed") => tapes.reduce((total, tape) => total + tape[of], 0)
  return sum("unclaimed") / sum("span")
}

/** Of each tape that was recorded, from its first word on. Bars have two series: what was told live, and the vendor's history, which repairs are stored in. */
export const storedTapes = Effect.fnUntraced(function* (
  streams: ReadonlyArray<StreamQuery>,
  told: ReadonlyArray<ToldStream>,
  until: number,
  gateway: GatewaySimulator
) {
  const [market, registry] = [yield* MarketStreams, yield* AdapterRegistry]
  const { stream: vendor } = yield* registry.streamer("ibkr")
  const keys = yield* market.keys({ vendor: "ibkr", streams })
  const tapes: Array<StoredTape> = []
  for (const [index, key] of keys.entries()) {
    const series = [recordedSeries(vendor, key), ...(key.kind === "bars" ? [vendor.series(key)] : [])]
    const { began = null, missing = [] } = told[index] ?? {}
    if (began === null || !isTape(key.kind)) continue
    // A bar that was open when it began is none of it.
    const { timeframe } = key
    const range = { start: timeframe === null ? began : Timeframe.ceil(timeframe, began), end: until }
    const known = series.filter((one) => one !== null)
    tapes.push(yield* storedTape(key, known, range, missing, marketOf(gateway, key)))
  }
  return tapes
})

/** Whether what is stored is what its archived answers give: as `tapestry rebuild --check` looks. */
export const rebuiltDiffers = Effect.gen(function* () {
  const [cache, imports] = [yield* StitchingCache, yield* Imports]
  const problems: Array<string> = []
  let compared = 0
  yield* Stream.runForEach(cache.rebuild({ check: true, moved: 1 }), (event) =>
    Effect.sync(() => {
      if (event._tag === "Compared") compared++
      if (event._tag === "Difference" || event._tag === "Unread" || event._tag === "Skipped") {
        problems.push(`rebuild: ${JSON.stringify(event)}`)
      }
    })
  )
  yield* Stream.runForEach(imports.check({ limit: 1 }), (event) =>
    Effect.sync(() => {
      if (event._tag !== "Compared") problems.push(`rebuild: ${JSON.stringify(event)}`)
      else {
        compared++
        if (event.rows + event.revisions + event.coverage > 0) problems.push(`rebuild: ${JSON.stringify(event)}`)
      }
    })
  )
  return { problems, compared }
})
