import { Context, type Effect, Schema, type Stream } from "effect"
import type { Bar } from "../domain/Bar.ts"
import type { ResponseId } from "../domain/Response.ts"
import type { AnyRecord } from "../domain/records/RecordKind.ts"
import type { SeriesKey } from "../domain/SeriesKey.ts"
import { ImportKind } from "./Imports.ts"

/** The row cannot be accepted; `message` names the field. */
export class BatchRowRefused extends Schema.TaggedError<BatchRowRefused>()("BatchRowRefused", {
  message: Schema.String
}) {}
/** The buffer is full, and its policy is to say so. */
export class BufferFull extends Schema.TaggedError<BufferFull>()("BufferFull", {
  kind: ImportKind,
  capacity: Schema.Int
}) {
  override get message(): string {
    return `the buffer of ${this.kind} rows is full with ${this.capacity}; offer more slowly, or take another overflow policy`
  }
}
/** The row was the oldest of a full buffer and had to go. */
export class RowDropped extends Schema.TaggedError<RowDropped>()("RowDropped", { kind: ImportKind }) {
  override get message(): string {
    return `a ${this.kind} row was dropped: the buffer was full, and its policy is to drop the oldest`
  }
}
/** The store refuses this row, and this row alone; it is in the dead-letter file. Of an archived answer: it cannot be stored. */
export class RowPoisoned extends Schema.TaggedError<RowPoisoned>()("RowPoisoned", { message: Schema.String }) {}
/** The processor is closing, or its deadline came before the row could be committed. What was offered is in the dead-letter file. */
export class ProcessorClosed extends Schema.TaggedError<ProcessorClosed>()("ProcessorClosed", {}) {
  override get message(): string {
    return "the batch processor is closed; rows that it had not committed are in its dead-letter file"
  }
}

/** Why a row was not taken, or not committed. */
export class BatchError extends Schema.TaggedError<BatchError>()("BatchError", {
  reason: Schema.Union([BatchRowRefused, BufferFull, RowDropped, RowPoisoned, ProcessorClosed])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** What a producer does whose row finds the buffer full: wait, have the oldest row dropped, or fail. */
export const OverflowPolicy = Schema.Literals(["suspend", "dropOldest", "fail"])
export type OverflowPolicy = typeof OverflowPolicy.Type

/** A row and the series that it is of. */
export interface BatchRow {
  readonly series: SeriesKey
  readonly row: Bar | AnyRecord
}

/**
 * How full a buffer is. `hard` when it reaches the high watermark, `soft` once on the way there, between the two, `ok` with the reason
 * `queue_recovered` when it falls to the low one. `ts` in epoch seconds, as the other processes that speak this know it.
 */
export const FeedbackEvent = Schema.Struct({
  coordinator_id: Schema.String,
  queue_size: Schema.Int,
  capacity: Schema.Int,
  level: Schema.Literals(["ok", "soft", "hard"]),
  source: Schema.Literal("store"),
  ts: Schema.Finite,
  utilization: Schema.Finite,
  reason: Schema.Literals(["high_watermark", "filling", "queue_recovered"])
})
export interface FeedbackEvent extends Schema.Schema.Type<typeof FeedbackEvent> {}

/**
 * Counts since the processor began; `buffered` and `inFlight` are as of now. `droppedOldest`: rows that had to go for newer ones; who
 * submitted one was told, who offered it was not.
 */
export const BatchStats = Schema.Struct({
  kind: ImportKind,
  buffered: Schema.Int,
  inFlight: Schema.Int,
  capacity: Schema.Int,
  committed: Schema.Int,
  unchanged: Schema.Int,
  deadLettered: Schema.Int,
  droppedOldest: Schema.Int,
  flushes: Schema.Int,
  retries: Schema.Int,
  breaker: Schema.Literals(["closed", "open", "half-open"])
})
export interface BatchStats extends Schema.Schema.Type<typeof BatchStats> {}

/**
 * Takes rows one by one and commits them in batches, each archived first as an import is.
 *
 * `submit` completes when its row is committed and survives SIGKILL; a flush waits for no timer while somebody submits. `offer` completes
 * when its row is buffered; such rows are flushed by count, bytes or age, and are lost with the process. One batch of a kind is under way at
 * a time, so that of two rows of one identity the one that came later is the later.
 */
export class BatchProcessor extends Context.Service<
  BatchProcessor,
  {
    readonly submit: (row: BatchRow) => Effect.Effect<void, BatchError>
    readonly offer: (row: BatchRow) => Effect.Effect<void, BatchError>
    /**
     * Commits what an archived answer says of a series of records, or of recorded bars (Imports.project), in its turn among the batches, and again for as long as
     * the store is away. Nothing is archived a second time; what could not be committed stays in the archive, and goes to no dead-letter file.
     */
    readonly project: (series: SeriesKey, response: ResponseId) => Effect.Effect<void, BatchError>
    /** Completes when every row that was taken before is committed or dead-lettered. */
    readonly flush: Effect.Effect<void>
    /** One a kind that has had rows. */
    readonly stats: Effect.Effect<ReadonlyArray<BatchStats>>
    /** How each buffer is at the time of subscription, and every change from then on; who does not read loses the oldest and holds nobody up. */
    readonly feedback: Stream.Stream<FeedbackEvent>
    /** Rows that had to go from a full buffer (`dropOldest`), submitted or offered, from the time of subscription on; as `feedback`. */
    readonly dropped: Stream.Stream<BatchRow>
  }
>()("tapestry/BatchProcessor") {}
