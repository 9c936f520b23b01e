/**
 * How a vendor's live data reach MarketStreams: what an adapter that can stream has, and what it is given to tell with.
 *
 * MarketStreams opens one upstream a key, however many want it, and closes its scope some time after the last has left. All that comes
 * goes into the sink, whose functions are synchronous and never wait: they can be called from the listener of a socket.
 *
 * A vendor's connection that breaks may be mended by the adapter (it tells `Gap`, then `Resumed`, in one upstream) or be left to
 * MarketStreams (it tells `Closed` with `retryable`, and is opened again). Either way the rows in between are fetched from `history` where
 * there is one, through the archive and under the quota; an adapter fills no gap itself.
 */
import type { Effect, Scope } from "effect"
import type { SeriesKey } from "../domain/SeriesKey.ts"
import type { DataType } from "../domain/streams/StreamEvent.ts"
import type { StreamKey, StreamQuery } from "../domain/streams/StreamKey.ts"
import type { StreamKind } from "../domain/streams/StreamKind.ts"
import type { StreamRow } from "../domain/streams/StreamRow.ts"
import type { Timeframe } from "../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../domain/TimeRange.ts"
import type { VendorError, VendorErrorReason, VendorRequest } from "./Adapter.ts"

/**
 * The rows of a gap that are to be told, in the order in which they are, and its parts, sorted and without a hole. Of a part that could not be
 * had `why` says so; of the others it is null, and `rows` counts those that nobody had been told before.
 */
export interface ToldGap {
  readonly rows: ReadonlyArray<StreamRow>
  readonly parts: ReadonlyArray<{
    readonly start: EpochMillis
    readonly end: EpochMillis
    readonly why: string | null
    readonly rows: number
    /** The key of the job that will have what is missing stored; null: none. */
    readonly job: string | null
  }>
}

/** What an upstream tells beside its rows; instants are epoch milliseconds by the vendor's clock where it has told one. */
export type UpstreamEvent =
  /** The vendor sends; what happens from `at` on will come. Again after `Gap`: as `Resumed`. */
  | { readonly _tag: "Started"; readonly at: EpochMillis }
  /**
   * From `from` on rows may be missing; null: from the last that came. Rows that come before `Resumed` end the gap. `waits`: nothing is broken, and it
   * comes in its turn, as soon as the vendor has room for it.
   */
  | { readonly _tag: "Gap"; readonly from: EpochMillis | null; readonly reason: string; readonly waits?: boolean }
  /** What happens from `to` on will come. */
  | { readonly _tag: "Resumed"; readonly to: EpochMillis }
  /** Of those whose history is `told`, after `Resumed`: what has become of the gap. */
  | ({ readonly _tag: "Filled" } & ToldGap)
  | { readonly _tag: "DataType"; readonly dataType: DataType }
  /** What the vendor sends of itself at the beginning and after a gap has all come: of a portfolio what was not among it is gone. */
  | { readonly _tag: "SnapshotComplete" }
  /** The last. Retryable ones are opened again after a pause; the others end the stream for all who have it. */
  | { readonly _tag: "Closed"; readonly retryable: boolean; readonly cause: VendorErrorReason }

/** Where an upstream puts what it has, in order. After its scope has closed all is ignored. */
export interface StreamSink {
  /** A row of the kind of the key, which nobody changes afterwards. */
  readonly row: (row: StreamRow) => void
  /** Several at once, in an array that nobody changes afterwards. */
  readonly rows: (rows: ReadonlyArray<StreamRow>) => void
  readonly event: (event: UpstreamEvent) => void
  /**
   * Rows that wait here, for the consumer that has most of them waiting and wants every one; 0 where nobody does. An upstream that can wait, as
   * that of a recording, so makes nobody too slow.
   */
  readonly waiting?: () => number
}

/**
 * What a page of history has. The rows, ascending, are all that there are in the range that it proves, and lie in it; null: it has none and
 * proves nothing. `next` goes on where that range ends; null: this is the last page.
 */
export interface HistoryPage {
  readonly rows: ReadonlyArray<StreamRow>
  readonly proves: TimeRange | null
  readonly next: VendorRequest | null
}

export interface HistoryTiming {
  /** How long after an instant the history has it, in milliseconds. */
  readonly delay: number
  /**
   * By how much more than the gap to ask for at both ends, in milliseconds: no less than what one stamp of the history stands for, and
   * than what the vendor's clock may differ. Rows that came already are known again, and not told twice.
   */
  readonly overlap: number
}

/**
 * Where missing rows of a tape are had. `told`: the upstream tells itself what becomes of its gaps (`Filled`), and nobody is asked. `series`: bars, which are fetched as any others are, into the store. `requests`: the pages of
 * one request, from the archive where it has them; rows come stamped and spelled as live ones are.
 */
export type StreamHistory =
  | (HistoryTiming & { readonly _tag: "told" })
  | (HistoryTiming & { readonly _tag: "series"; readonly series: SeriesKey })
  | (HistoryTiming & {
      readonly _tag: "requests"
      readonly request: (range: TimeRange) => Effect.Effect<VendorRequest, VendorError>
      /** Pure in its inputs; `range` is the whole one, that of the first page's request. */
      readonly decode: (
        payload: Uint8Array,
        request: VendorRequest,
        range: TimeRange
      ) => Effect.Effect<HistoryPage, VendorError>
    })

/** The capability to stream live data. */
export interface StreamCapability {
  readonly kinds: ReadonlyArray<StreamKind>
  /** Of the bars that the vendor streams, shortest first; empty where it streams none. */
  readonly timeframes: ReadonlyArray<Timeframe>
  /** By how many milliseconds a row may come after one with a later stamp; 0: never. */
  readonly lateness: number
  /**
   * The number of the lasting connection over which streams come, or came last, where the vendor has one: how often it was made. Logs about streams have
   * it. Null: there was none yet.
   */
  readonly connection?: () => number | null
  /** The identity of the stream that a user means; fails with Unsupported, or NotFound where the vendor cannot have it. */
  readonly key: (query: StreamQuery) => Effect.Effect<StreamKey, VendorError>
  /**
   * Asks the vendor for the stream, which runs until the scope closes. Done when it has been asked for: that it runs is told with
   * `Started`. A failure that may pass (Unavailable, Throttled) is tried again after a pause.
   */
  readonly open: (key: StreamKey, sink: StreamSink) => Effect.Effect<void, VendorError, Scope.Scope>
  /** Done when what kept a stream from being opened may be over, so that it is tried again before the pause has passed. Never where it is not given. */
  readonly reopen?: Effect.Effect<void>
  /** Milliseconds without a row after which the stream is taken for broken and opened again; null: silence is no sign. */
  readonly silence: (key: StreamKey) => number | null
  /** Null: what a gap leaves out cannot be had. */
  readonly history: (key: StreamKey) => StreamHistory | null
  /** The series under which rows of the stream are stored; null: they are not. */
  readonly series: (key: StreamKey) => SeriesKey | null
}
