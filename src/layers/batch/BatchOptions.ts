import type { Duration } from "effect"
import type { OverflowPolicy } from "../../services/BatchProcessor.ts"

export interface BatchOptions {
  /** What the processor is called in its session and its feedback. */
  readonly name: string
  /** Rows, and bytes of them as JSON lines in UTF-8, that a batch has at most. */
  readonly maxRows: number
  readonly maxBytes: number
  /** How old the oldest offered row may become before it is flushed. */
  readonly maxAge: Duration.Input
  /** Rows of a kind that are held at most, those under way too. */
  readonly capacity: number
  readonly overflow: OverflowPolicy
  /** Batches of all kinds that are under way at once. */
  readonly concurrency: number
  /** Shares of the capacity at which feedback says that a buffer is full, and that it has recovered. */
  readonly highWatermark: number
  readonly lowWatermark: number
  /** Pauses between tries while the store cannot be had: the first, and the longest; each is jittered. */
  readonly retryBase: Duration.Input
  readonly retryCap: Duration.Input
  /** Failures in a row after which nothing is tried for a while, and for how long at first. */
  readonly breakerFailures: number
  readonly breakerOpenFor: Duration.Input
  /** How long a closing processor goes on with what it holds. */
  readonly drain: Duration.Input
  /**
   * What becomes of the rows that are held when the scope closes because something in it failed (and not because it was interrupted, or
   * done): `commit` them as always, or take them to be one half of something and leave them to the `deadLetters`.
   */
  readonly afterFailure: "commit" | "deadLetters"
  /** Where rows go that cannot be committed: one JSON object a line. */
  readonly deadLetters: string
}

export const defaults: Omit<BatchOptions, "deadLetters"> = {
  name: "batch",
  maxRows: 4_096,
  maxBytes: 1_048_576,
  maxAge: "250 millis",
  capacity: 65_536,
  overflow: "suspend",
  concurrency: 4,
  highWatermark: 0.8,
  lowWatermark: 0.5,
  retryBase: "50 millis",
  retryCap: "2 seconds",
  breakerFailures: 5,
  breakerOpenFor: "1 second",
  drain: "10 seconds",
  afterFailure: "commit"
}
