/**
 * Keeps the upstream of a topic open: opens it, and again after a pause whenever it ends, fails or falls silent, until the vendor says
 * that there is no use in it.
 *
 * Hard cases: what an upstream still tells after it was given up (ignored); an adapter that fails by a defect (it is opened again, and the
 * defect is logged); a vendor that was unregistered (the stream ends, and may be had again); one that opens and sends nothing, again and
 * again (it is given longer each time, up to sixteen times as long, so that a market that sleeps costs few attempts).
 */
import { Cause, Clock, Deferred, Duration, Effect, Exit, Random } from "effect"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { type Adapter, Unavailable, type VendorErrorReason } from "../../services/Adapter.ts"
import type { AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import type { StreamCapability, StreamSink, UpstreamEvent } from "../../services/StreamCapability.ts"
import type { Topic } from "./Topic.ts"

/** Milliseconds before an upstream is opened again. */
export interface ReopenPauses {
  readonly least: number
  readonly most: number
}

/** An adapter that can stream. */
export type Streamer = Adapter & { readonly stream: StreamCapability }

/** How an attempt ended. */
export type Ended = Pick<Extract<UpstreamEvent, { readonly _tag: "Closed" }>, "retryable" | "cause">

const messageOf = (reason: VendorErrorReason): string =>
  reason._tag === "Throttled" ? `throttled for ${Math.ceil(reason.retryAfter / 1_000)} s` : reason.message

/** Only what may pass by itself is tried again. */
const passes = (reason: VendorErrorReason): boolean => reason._tag === "Unavailable" || reason._tag === "Throttled"

/** The sink of one attempt, until it is shut. */
const sinkOf = (topic: Topic): { readonly sink: StreamSink; readonly shut: () => void } => {
  let open = true
  return {
    sink: {
      row: (row) => {
        if (open) topic.row(row)
      },
      rows: (rows) => {
        if (open) topic.rows(rows)
      },
      event: (event) => {
        if (open) topic.event(event)
      },
      waiting: () => topic.waiting
    },
    shut: () => {
      open = false
    }
  }
}

/** Ends when nothing has come for so long. */
const silent = Effect.fnUntraced(function* (topic: Topic, millis: number) {
  const openedAt = yield* Clock.currentTimeMillis
  for (;;) {
    const now = yield* Clock.currentTimeMillis
    const left = Math.max(openedAt, topic.heard.at ?? openedAt) + millis - now
    if (left <= 0) return
    yield* Effect.sleep(Duration.millis(left))
  }
})

export const keepOpen = Effect.fnUntraced(function* (
  streamer: Effect.Effect<Streamer, AdapterRegistryError>,
  key: StreamKey,
  topic: Topic,
  ends: { current: Deferred.Deferred<Ended> },
  pauses: ReopenPauses
) {
  let patience = 1
  let failures = 0

  const attempt = (capability: StreamCapability, end: Deferred.Deferred<Ended>) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { shut, sink } = sinkOf(topic)
        const before = topic.heard.rows
        yield* capability.open(key, sink)
        // Run before the adapter's own finalizers, whatever they may still have to say.
        yield* Effect.addFinalizer(() => Effect.sync(shut))
        const silence = capability.silence(key)
        const ended: Ended =
          silence === null
            ? yield* Deferred.await(end)
            : yield* Effect.raceFirst(
                Deferred.await(end),
                Effect.as(silent(topic, silence * patience), {
                  retryable: true,
                  cause: new Unavailable({ message: `nothing came for ${(silence * patience) / 1_000} s` })
                })
              )
        patience = topic.heard.rows > before ? 1 : Math.min(16, patience * 2)
        return ended
      })
    ).pipe(
      Effect.catchTag("VendorError", ({ reason }) =>
        Effect.succeed<Ended>({ retryable: passes(reason), cause: reason })
      ),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.as(Effect.logError(`the adapter of ${key.vendor} failed`, cause), {
              retryable: true,
              cause: new Unavailable({ message: "the adapter failed; the log says how" })
            })
      )
    )

  for (;;) {
    const found = yield* Effect.exit(streamer)
    if (Exit.isFailure(found)) return topic.close(true, `vendor ${key.vendor} is not there any more`)
    const end = Deferred.makeUnsafe<Ended>()
    ends.current = end
    const rows = topic.heard.rows
    topic.opening()
    const { cause, retryable } = yield* attempt(found.value.stream, end)
    if (!retryable) return topic.close(false, messageOf(cause))
    topic.event({ _tag: "Gap", from: null, reason: messageOf(cause) })
    failures = topic.heard.rows > rows ? 0 : failures + 1
    const doubled = Math.min(pauses.most, pauses.least * 2 ** Math.max(0, failures - 1))
    const pause = Math.ceil(doubled * (0.8 + 0.4 * (yield* Random.next)))
    yield* Effect.sleep(Duration.millis(cause._tag === "Throttled" ? Math.max(pause, cause.retryAfter) : pause))
  }
})
