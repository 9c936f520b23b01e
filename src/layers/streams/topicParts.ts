/** What a topic is made with, and what it has others do. */
import type { LifecycleEvent } from "../../domain/streams/StreamEvent.ts"
import type { StreamRow } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { StreamHistory, UpstreamEvent } from "../../services/StreamCapability.ts"
import type { Tally } from "./Tally.ts"
import type { Turns } from "./Turns.ts"

/** What became of the attempt to have the rows of a gap: its parts, sorted and without a hole, each with why it could not be had, or null. */
export interface Filled {
  readonly rows: ReadonlyArray<StreamRow>
  readonly parts: ReadonlyArray<{ readonly start: EpochMillis; readonly end: EpochMillis; readonly why: string | null }>
}

/** What is to be known elsewhere of what consumers are told. */
export interface AudienceDuties {
  readonly said: (event: LifecycleEvent) => void
  /** A slow consumer was not given so many rows. */
  readonly dropped: (rows: number) => void
  /** One was ended for being too slow, which had so many rows waiting. */
  readonly slow: (waiting: number) => void
}

/** What a topic has others do. */
export interface TopicDuties extends AudienceDuties {
  /** The rows of this range are wanted: tell `filled`. Another call takes the place of one that is under way. */
  readonly fill: (range: TimeRange) => void
  /** Nobody wants them any more. */
  readonly stopFilling: () => void
  /** The range could not be had: the key of the job that will have it stored later; null where it is not stored. */
  readonly later: (range: TimeRange) => string | null
  /** The topic has ended by a defect; there is no use in the upstream any more. */
  readonly broke: (defect: unknown) => void
  /** The upstream has ended, by its own word. */
  readonly ended: (event: Extract<UpstreamEvent, { readonly _tag: "Closed" }>) => void
}

/** What all topics of one MarketStreams have in common. */
export interface TopicShared {
  readonly turns: Turns
  readonly now: () => EpochMillis
  /** Rows that are held while a gap is repaired. */
  readonly held: number
}

export interface TopicOptions {
  readonly history: StreamHistory | null
  readonly lateness: number
  readonly tally: Tally
}
