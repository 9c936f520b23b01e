import { Context, type Effect, Schema, type Scope, type Stream } from "effect"
import type { ConsumerPolicy } from "../domain/streams/ConsumerPolicy.ts"
import type { StreamItem } from "../domain/streams/StreamEvent.ts"
import { StreamKey, StreamQuery } from "../domain/streams/StreamKey.ts"
import { StreamKind } from "../domain/streams/StreamKind.ts"
import { EpochMillis } from "../domain/TimeRange.ts"
import { VendorError } from "./Adapter.ts"
import { AdapterRegistryError } from "./AdapterRegistry.ts"

/**
 * The consumer had `rows` waiting and did not take them when more came. It was given what waited; the first row that it was not given is
 * of `stream` at or after `from`.
 */
export class SlowConsumer extends Schema.TaggedError<SlowConsumer>()("SlowConsumer", {
  rows: Schema.Int,
  stream: Schema.Int,
  from: Schema.NullOr(EpochMillis)
}) {
  override get message(): string {
    return `this consumer was too slow: ${this.rows} rows waited for it when more came; take them faster, allow more, or take another policy (latest, sliding)`
  }
}
/** The vendor does not stream this kind; `kinds` lists what it does. */
export class KindNotStreamed extends Schema.TaggedError<KindNotStreamed>()("KindNotStreamed", {
  vendor: Schema.String,
  kind: StreamKind,
  kinds: Schema.Array(StreamKind)
}) {
  override get message(): string {
    return `vendor ${this.vendor} does not stream ${this.kind}; it streams: ${this.kinds.join(", ") || "nothing"}`
  }
}
/** A subscription to nothing, or to more than one may have. */
export class TooManyStreams extends Schema.TaggedError<TooManyStreams>()("TooManyStreams", {
  streams: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `a subscription is of 1 to ${this.limit} streams, and not of ${this.streams}`
  }
}
/** Only of streams in another process: it could not be reached, went away, or refused the call. */
export class StreamsUnavailable extends Schema.TaggedError<StreamsUnavailable>()("StreamsUnavailable", {
  again: Schema.Boolean,
  message: Schema.String
}) {}

/** Why there is no stream, or no more of it. What becomes of a vendor's stream is told in band, and is no error. */
export class MarketStreamsError extends Schema.TaggedError<MarketStreamsError>()("MarketStreamsError", {
  reason: Schema.Union([
    SlowConsumer,
    KindNotStreamed,
    TooManyStreams,
    StreamsUnavailable,
    VendorError,
    AdapterRegistryError
  ])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** Streams of one vendor that are wanted together. */
export const StreamSelection = Schema.Struct({
  vendor: Schema.NonEmptyString,
  streams: Schema.Array(StreamQuery)
})
export interface StreamSelection extends Schema.Schema.Type<typeof StreamSelection> {}

export interface SubscribeOptions {
  /** That of the kind unless given; streams of different kinds: `lossless` where one of them has it. */
  readonly policy?: ConsumerPolicy
}

/** Streams of one consumer, until its scope closes. */
export interface Subscription {
  /** The identities of what was asked for, in that order; `stream` of an item counts them. */
  readonly keys: ReadonlyArray<StreamKey>
  /**
   * What has come since the last call, at least one item; waits while there is none. Fails with SlowConsumer after the last item that such
   * a consumer is given. Empty when all streams have closed.
   */
  readonly take: Effect.Effect<ReadonlyArray<StreamItem>, MarketStreamsError>
}

/** One upstream as an operator sees it. */
export const StreamState = Schema.Struct({
  key: StreamKey,
  /**
   * `starting` until the vendor has begun, `gap` while it does not send, `waiting` while it has no room for one more, `filling` while rows of a gap are
   * fetched.
   */
  state: Schema.Literals(["starting", "live", "gap", "waiting", "filling", "closed"]),
  consumers: Schema.Int,
  rows: Schema.Int,
  through: Schema.NullOr(EpochMillis),
  /** When a row or word of the vendor came last; null: never. */
  heardAt: Schema.NullOr(EpochMillis),
  /** How often it was opened, and gaps that were had. */
  opened: Schema.Int,
  gaps: Schema.Int
})
export interface StreamState extends Schema.Schema.Type<typeof StreamState> {}

/**
 * Live data of vendors, fanned out: one upstream a key, shared by all who want it and kept for a moment after the last has left. Each
 * consumer has its own policy, and none delays another or the vendor. What is missing is told in band.
 */
export class MarketStreams extends Context.Service<
  MarketStreams,
  {
    /** The identities of the streams, in their order; asks for none of them. */
    readonly keys: (selection: StreamSelection) => Effect.Effect<ReadonlyArray<StreamKey>, MarketStreamsError>
    /** Who joins a stream that runs is first told how things stand (Started, DataType, an open Gap, the newest rows as a snapshot). */
    readonly subscribe: (
      selection: StreamSelection,
      options?: SubscribeOptions
    ) => Effect.Effect<Subscription, MarketStreamsError, Scope.Scope>
    /** As `subscribe`, until all have closed: each piece is what came since the last. */
    readonly items: (
      selection: StreamSelection,
      options?: SubscribeOptions
    ) => Stream.Stream<StreamItem, MarketStreamsError>
    /** Every upstream there is, those that nobody wants any more and that linger too. */
    readonly states: Effect.Effect<ReadonlyArray<StreamState>, MarketStreamsError>
  }
>()("tapestry/MarketStreams") {}
