/**
 * What is stored of imports against what their archived segments give.
 *
 * Responsibilities: all segments are stored again in a store that nobody else sees, and the two are compared series by series. Queueing:
 * one check at a time; a reader of the events that is slow slows it down, one that leaves ends it. Hard cases: imports go on meanwhile. A
 * segment may be archived already and not stored yet, so what differs is looked at again a moment later; a series that has answers which
 * came behind the last one that was read is told to be busy, not to differ. What was removed on purpose is not looked for (forgotten.ts).
 */
import { Effect, Option, Queue, Semaphore, Stream } from "effect"
import { isRecordSeries } from "../../domain/records/RecordKind.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import {
  type ImportCheckEvent,
  type ImportCheckOptions,
  type ImportSelection,
  ImportsError,
  type ReplayedSegment
} from "../../services/Imports.ts"
import { ScratchStore } from "../stitching/ScratchStore.ts"
import { compareImports, type ImportStores, isSame } from "./compareImports.ts"

export type Wanted = (series: SeriesKey) => boolean

export const wantedOf =
  ({ symbol, vendor }: ImportSelection): Wanted =>
  (series) =>
    (vendor === undefined || vendor === series.vendor) && (symbol === undefined || symbol === series.symbol)

/** Events that the reader has not taken; then the check waits for it. */
const unread = 16

interface Parts {
  readonly stores: ImportStores
  readonly registry: AdapterRegistry["Service"]
  readonly replayInto: (
    into: ImportStores,
    wanted: Wanted,
    /** Whether what was ever removed counts as such, whatever of it was imported again. */
    ever: boolean
  ) => Stream.Stream<ReplayedSegment, ImportsError>
}

export const makeCheck = Effect.fnUntraced(function* ({ registry, replayInto, stores }: Parts) {
  const { market } = stores
  const makeScratch = yield* ScratchStore
  const checking = yield* Semaphore.make(1)

  /** Records, which all were imported, and bars of vendors of which nothing else is known. */
  const checkable = Effect.fnUntraced(function* (scratch: ImportStores, wanted: Wanted) {
    const found = new Map<string, SeriesKey>()
    for (const { series } of [...(yield* market.series), ...(yield* scratch.market.series)]) {
      if (!wanted(series) || series.kind === "corporate-action") continue
      const vendor = yield* Effect.option(registry.resolve(series.vendor))
      if (isRecordSeries(series) || (Option.isSome(vendor) && vendor.value.storedOnly === true)) {
        found.set(canonical(series), series)
      }
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, series]) => series)
  })

  const compared = Effect.fnUntraced(function* (
    scratch: ImportStores,
    newest: number,
    series: SeriesKey,
    limit: number
  ) {
    const first = yield* compareImports(stores, scratch, series, limit)
    if (isSame(first)) return first
    yield* Effect.sleep("1 second")
    for (const response of yield* market.applied(series, 0)) {
      if (response > newest) return { _tag: "Busy" as const, series: canonical(series) }
    }
    return yield* compareImports(stores, scratch, series, limit)
  })

  return ({ limit, ...of }: ImportCheckOptions): Stream.Stream<ImportCheckEvent, ImportsError> => {
    const wanted = wantedOf(of)
    const run = Effect.fnUntraced(function* (tell: (event: ImportCheckEvent) => Effect.Effect<unknown>) {
      const scratch = yield* makeScratch
      let newest = 0
      yield* Stream.runForEach(replayInto(scratch, wanted, true), ({ problem, response }) => {
        newest = Math.max(newest, response)
        return problem === null ? Effect.void : tell({ _tag: "Unread", response, message: problem })
      })
      for (const series of yield* checkable(scratch, wanted)) {
        yield* tell(yield* compared(scratch, newest, series, limit))
      }
    }, Effect.scoped)
    return Stream.callback<ImportCheckEvent, ImportsError>(
      (queue) =>
        checking.withPermit(run((event) => Queue.offer(queue, event))).pipe(
          Effect.mapError((error) => (error._tag === "ImportsError" ? error : new ImportsError({ reason: error }))),
          Effect.andThen(Queue.end(queue))
        ),
      { bufferSize: unread, strategy: "suspend" }
    )
  }
})
