/** What holds for each client of the JSON feeds (`/ws/quotes/{symbol}` and the like). */
import { Schema } from "effect"
import { Millis } from "./units.ts"

export interface FeedLimits {
  /** Messages that wait for a client that does not take them. */
  readonly maxQueueSize: number
  /** Messages of rows that a client is sent in a second, at most. */
  readonly maxMessagesPerSecond: number
  /** Milliseconds between two pings; who has not answered one by the next is cut off. */
  readonly heartbeatInterval: number
}

export const mostQueued = 100_000
export const mostPerSecond = 1_000_000
/** In milliseconds. */
export const heartbeatBounds = { least: 1_000, most: 3_600_000 }

/** As keys of `serve`. */
export const feedKeys = {
  wsMaxQueueSize: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: mostQueued })).annotate({
      expected: `a whole number of messages from 1 to ${mostQueued}`
    })
  ),
  wsMaxMessagesPerSecond: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: mostPerSecond })).annotate({
      expected: `messages a second, from 1 to ${mostPerSecond}`
    })
  ),
  wsHeartbeatInterval: Schema.optionalKey(
    Millis.check(Schema.isBetween({ minimum: heartbeatBounds.least, maximum: heartbeatBounds.most })).annotate({
      expected: "a duration from 1s to 1h"
    })
  )
}

/**
 * A client that wants what holds misses nothing by a cap, since what it has not been sent is replaced by what is newer; so the cap is where
 * it guards the server from a flood, far above what one instrument does.
 */
export const feedDefaults: FeedLimits = { maxQueueSize: 100, maxMessagesPerSecond: 1_000, heartbeatInterval: 30_000 }
