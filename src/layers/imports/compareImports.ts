/** What two stores say of a series that was imported: rows with where they came from, revisions and coverage. */
import { Effect, Stream } from "effect"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import { instantOf, isRecordSeries, type RecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import { allTime, type TimeRange } from "../../domain/TimeRange.ts"
import type { ImportCheckEvent, ImportDifference } from "../../services/Imports.ts"
import type { MarketStore, MarketStoreError } from "../../services/MarketStore.ts"
import type { RecordStore } from "../../services/RecordStore.ts"
import { type Read, tellStamp, textOf, walk } from "../market/sideBySide.ts"

export interface ImportStores {
  readonly market: MarketStore["Service"]
  readonly records: RecordStore["Service"]
}

/** Something that is stored, by its millisecond; another version of the decoder that reads the same has not moved it. */
interface Item {
  readonly at: number
  readonly value: unknown
}

type Reads = (range: TimeRange) => Stream.Stream<Item, MarketStoreError>

const lineageOf = ({ position, recordedAt, response }: { position: number; recordedAt: number; response: number }) => ({
  response,
  position,
  recordedAt
})

const barReads = (
  { market }: ImportStores,
  series: SeriesKey
): { readonly rows: Reads; readonly revisions: Reads } => ({
  rows: (range) =>
    Stream.map(market.storedBars(series, range), ({ bar, final, lineage }) => ({
      at: bar.ts,
      value: { ...bar, final, ...lineageOf(lineage) }
    })),
  revisions: (range) => Stream.map(market.revisions(series, range), (value) => ({ at: value.ts, value }))
})

const recordReads = (
  { records }: ImportStores,
  series: RecordSeries
): { readonly rows: Reads; readonly revisions: Reads } => ({
  rows: (range) =>
    Stream.map(records.storedRows(series, range), ({ lineage, row }) => ({
      at: instantOf(row).millis,
      value: { ...row, ...lineageOf(lineage) }
    })),
  revisions: (range) =>
    Stream.map(records.revisions(series, range), ({ lineage, row, ...rest }) => ({
      at: instantOf(row).millis,
      value: { ...row, ...rest, ...lineageOf(lineage) }
    }))
})

const readsOf = (stores: ImportStores, series: SeriesKey) =>
  isRecordSeries(series) ? recordReads(stores, series) : barReads(stores, series)

const paged =
  (reads: Reads): Read<Item> =>
  (from, limit) =>
    Stream.runCollect(Stream.take(reads({ start: from, end: allTime.end }), limit))

type Compared = Extract<ImportCheckEvent, { readonly _tag: "Compared" }>

/** Counts all differences, and gives the first `limit` of each kind. */
export const compareImports: (
  stored: ImportStores,
  rebuilt: ImportStores,
  series: SeriesKey,
  limit: number
) => Effect.Effect<Compared, MarketStoreError> = Effect.fnUntraced(function* (stored, rebuilt, series, limit) {
  const differences: Array<ImportDifference> = []
  const counts = { row: 0, revision: 0, coverage: 0 }
  const tell = (what: keyof typeof counts) => (a: Item | null, b: Item | null) => {
    if (counts[what]++ >= limit) return
    const text = (item: Item | null) => (item === null ? null : textOf(item.value))
    differences.push({ what, at: a?.at ?? b?.at ?? 0, stored: text(a), rebuilt: text(b) })
  }
  const [here, there] = [readsOf(stored, series), readsOf(rebuilt, series)]
  const at = (item: Item) => item.at
  const all = (item: Item) => item.value
  yield* walk(paged(here.rows), paged(there.rows), at, all, tell("row"))
  yield* walk(paged(here.revisions), paged(there.revisions), at, all, tell("revision"))
  const item = (interval: StoredCoverage): Item => ({ at: interval.start, value: interval })
  const coverageIn = ({ market }: ImportStores) =>
    Effect.map(market.coverage(series, allTime), (intervals) => intervals.map(item))
  tellStamp(yield* coverageIn(stored), yield* coverageIn(rebuilt), all, tell("coverage"))
  const countIn = ({ market, records }: ImportStores) =>
    isRecordSeries(series) ? records.count(series, allTime) : market.count(series, allTime)
  return {
    _tag: "Compared" as const,
    series: canonical(series),
    stored: yield* countIn(stored),
    rebuilt: yield* countIn(rebuilt),
    rows: counts.row,
    revisions: counts.revision,
    coverage: counts.coverage,
    differences
  }
})

export const isSame = ({ coverage, revisions, rows }: Compared): boolean => rows + revisions + coverage === 0
