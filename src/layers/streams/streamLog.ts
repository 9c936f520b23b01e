/** What is said in the log of one stream, so that an operator sees when which streams were broken, and over which connection. */
import { Effect } from "effect"
import type { LifecycleEvent } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"

const instant = (millis: EpochMillis): string => new Date(millis).toISOString()

const spoken = (event: LifecycleEvent): { readonly warns: boolean; readonly text: string } | null => {
  switch (event._tag) {
    case "Gap":
      return { warns: false, text: `has a gap from ${instant(event.from)} on: ${event.reason}` }
    case "Resumed":
      return { warns: false, text: `comes again from ${instant(event.at)} on` }
    case "Repaired":
      return {
        warns: false,
        text: `has ${event.rows} rows of ${instant(event.from)} to ${instant(event.to)} after all`
      }
    case "Unrepairable": {
      const later = event.job === null ? "" : `; job ${event.job} has them stored later`
      return {
        warns: event.job !== null,
        text: `lacks rows of ${instant(event.from)} to ${instant(event.to)}: ${event.why}${later}`
      }
    }
    case "Closed":
      return { warns: true, text: `has ended${event.retryable ? "" : " for good"}: ${event.cause}` }
    default:
      return null
  }
}

const about = (key: StreamKey, connection: number | null): Readonly<Record<string, string | number>> => ({
  vendor: key.vendor,
  kind: key.kind,
  symbol: key.symbol,
  ...(connection === null ? {} : { connection })
})

/** Null: it is not worth a line. */
export const logOf = (key: StreamKey, event: LifecycleEvent, connection: number | null): Effect.Effect<void> | null => {
  const said = spoken(event)
  if (said === null) return null
  const line = `${key.kind} of ${key.symbol} ${said.text}`
  return Effect.annotateLogs(said.warns ? Effect.logWarning(line) : Effect.logInfo(line), about(key, connection))
}

/** Rows that a consumer of the stream was not given, since it was too slow. */
export const logDropped = (key: StreamKey, rows: number, connection: number | null): Effect.Effect<void> =>
  Effect.annotateLogs(
    Effect.logWarning(
      `${key.kind} of ${key.symbol}: ${rows} rows were dropped for slow consumers since that was said last`
    ),
    about(key, connection)
  )

/** One was ended for that. */
export const logSlow = (key: StreamKey, waiting: number, connection: number | null): Effect.Effect<void> =>
  Effect.annotateLogs(
    Effect.logWarning(`${key.kind} of ${key.symbol}: a consumer that had ${waiting} rows waiting was ended`),
    about(key, connection)
  )
