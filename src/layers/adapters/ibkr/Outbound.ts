/**
 * Everything that goes to one connection of a gateway passes here: no more than `rate` messages a second with bursts of `burst`, so
 * that no second has more than their sum. IB cuts a client off that sends more than 50.
 *
 * Queueing: a place is waited for in one of five lines, and a later one is served only while those before it are empty; inside a line in
 * order of arrival. There are `capacity` places in all; who comes when they are taken fails with OutboundFull. Who is interrupted
 * while waiting has sent nothing and its place is free.
 *
 * Hard cases. The lines are one connection's: when it ends, who waits fails with Disconnected, and nothing is carried over to the
 * next. A gateway that says that it was asked too fast (code 100) is left alone for a second and asked more slowly from then on.
 * The library's own limiter is not used: it keeps what was queued over a disconnect.
 */
import { Clock, Deferred, Effect, Latch, type Scope } from "effect"
import { Disconnected, IbkrError, OutboundFull, Undecodable } from "../../../services/IbkrSession.ts"

/** Which line: what concerns orders, probes of the connection, what gives places up, what opens streams, and what asks for the past. */
export type OutboundLine = "order" | "probe" | "cancel" | "subscribe" | "history"

const lines: ReadonlyArray<OutboundLine> = ["order", "probe", "cancel", "subscribe", "history"]

export interface OutboundOptions {
  /** Messages a second. */
  readonly rate: number
  readonly burst: number
  readonly capacity: number
}

export interface Outbound {
  /** Returns when `write` has handed its message to the socket. */
  readonly send: (line: OutboundLine, write: () => void) => Effect.Effect<void, IbkrError>
  /** The gateway found it too much. */
  readonly slowDown: Effect.Effect<void>
  readonly rate: Effect.Effect<number>
}

interface Place {
  readonly write: () => void
  readonly done: Deferred.Deferred<void, IbkrError>
}

const slowest = 5
const restMillis = 1000

const full = (capacity: number) =>
  new IbkrError({
    reason: new OutboundFull({
      message: `${capacity} messages wait to be sent to the gateway already; try again later`
    })
  })

const unwritable = (cause: unknown) =>
  new IbkrError({
    reason: new Undecodable({
      message: `the request cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  })

/** Lives as long as its connection. */
export const make = Effect.fnUntraced(function* (
  options: OutboundOptions
): Effect.fn.Return<Outbound, never, Scope.Scope> {
  const { burst, capacity } = options
  const waiting: Record<OutboundLine, Set<Place>> = {
    order: new Set(),
    probe: new Set(),
    cancel: new Set(),
    subscribe: new Set(),
    history: new Set()
  }
  const somebody = yield* Latch.make()
  const nowMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
  let rate = options.rate
  let tokens = burst
  let filledAt = yield* nowMillis
  let closed = false

  const count = () => lines.reduce((sum, line) => sum + waiting[line].size, 0)

  const first = (): readonly [OutboundLine, Place] | null => {
    for (const line of lines) for (const place of waiting[line]) return [line, place]
    return null
  }

  /** Milliseconds until a token is there; 0 when one is. */
  const untilToken = (now: number): number => {
    if (now > filledAt) {
      tokens = Math.min(burst, tokens + ((now - filledAt) * rate) / 1000)
      filledAt = now
    }
    // A rest lies in the future.
    const rest = Math.max(0, filledAt - now)
    return tokens >= 1 ? rest : rest + Math.ceil(((1 - tokens) * 1000) / rate)
  }

  const drain = Effect.gen(function* () {
    while (true) {
      yield* somebody.await
      const pause = untilToken(yield* nowMillis)
      if (pause > 0) {
        yield* Effect.sleep(pause)
        continue
      }
      const next = first()
      if (next === null) {
        somebody.closeUnsafe()
        continue
      }
      const [line, place] = next
      waiting[line].delete(place)
      tokens -= 1
      const written = yield* Effect.exit(Effect.try({ try: place.write, catch: unwritable }))
      yield* Deferred.done(place.done, written)
    }
  })

  yield* Effect.forkScoped(drain)
  yield* Effect.addFinalizer(() => {
    closed = true
    const gone = new IbkrError({ reason: new Disconnected({ message: "the connection ended before it was sent" }) })
    return Effect.forEach(
      lines.flatMap((line) => [...waiting[line]]),
      ({ done }) => Deferred.fail(done, gone),
      { discard: true }
    )
  })

  const send: Outbound["send"] = Effect.fnUntraced(function* (line, write) {
    if (closed) return yield* new IbkrError({ reason: new Disconnected({ message: "the connection has ended" }) })
    if (count() >= capacity) return yield* full(capacity)
    const place: Place = { write, done: yield* Deferred.make<void, IbkrError>() }
    waiting[line].add(place)
    somebody.openUnsafe()
    yield* Effect.onInterrupt(Deferred.await(place.done), () => Effect.sync(() => waiting[line].delete(place)))
  })

  const slowDown = Effect.gen(function* () {
    rate = Math.max(slowest, rate * 0.8)
    tokens = 0
    filledAt = (yield* nowMillis) + restMillis
  })

  return { send, slowDown, rate: Effect.sync(() => rate) }
})
