/**
 * Payloads in pieces, which are views of the bytes and not copies.
 *
 * Responsibilities: a payload is verified as a whole before its first byte goes out, so it is in memory until the last one is on
 * its way.
 *
 * Queueing: at most `heldAtOnce` large payloads are held at once; whoever asks for another waits, in order of arrival, and not
 * longer than `waitsAtMost`: then it is TooBusy.
 *
 * Hard cases: a reader that takes nothing for `patience` while others wait gives way: its bytes are let go, and when it asks for the
 * next ones it is told TooBusy. While nobody waits it may take its time. What fits into one chunk keeps no place once it is read,
 * and none is kept for the last chunk of any. One that leaves, waiting or reading, gives its place back.
 */
import { Array as Arr, Context, Duration, Effect, Option, type Scope, Semaphore, Stream } from "effect"
import { monotonicMillis } from "../../layers/monotonicMillis.ts"
import { TooBusy } from "../contract/Border.ts"

/** The size of a piece in bytes. */
export const pieceBytes = 65_536
/** A megabyte of JSON lines in base64 is what a message may grow to; four pieces stay well below it and save round trips. */
const piecesAChunk = 4
/** How many payloads of more than one chunk are held in memory. */
const heldAtOnce = 4
const patience = Duration.toMillis("5 seconds")
const waitsAtMost = "30 seconds"
/** Milliseconds until one that still waits makes another give way: the place that came free may have been for one before it. */
const nextLook = 100

const tooBusy = Effect.fail(new TooBusy({ limit: "streams", max: heldAtOnce }))

/** A place that is taken. */
interface Held {
  /** Null when it gave way, or is on its last chunk. */
  payload: Uint8Array | null
  /** Since when its reader is waited for; null while it is not. Milliseconds. */
  idleSince: number | null
  released: boolean
}

const piecesOf = (payload: Uint8Array, from: number): ReadonlyArray<Uint8Array> =>
  Arr.makeBy(Math.min(piecesAChunk, Math.ceil((payload.length - from) / pieceBytes)), (index) => {
    const start = from + index * pieceBytes
    return payload.subarray(start, start + pieceBytes)
  })

export const make = Effect.map(Semaphore.make(heldAtOnce), (places) => {
  const holders = new Set<Held>()

  const leave = (held: Held): Effect.Effect<void> =>
    Effect.suspend(() => {
      held.payload = null
      if (held.released) return Effect.void
      held.released = true
      holders.delete(held)
      return Effect.asVoid(places.release(1))
    })

  /** Makes those give way whose readers are waited for too long, one after the other, until it is interrupted. */
  const makeRoom: Effect.Effect<never> = Effect.gen(function* () {
    while (true) {
      const now = yield* monotonicMillis
      const idle = [...holders].filter(({ idleSince }) => idleSince !== null)
      const longest = idle.sort((a, b) => (a.idleSince ?? now) - (b.idleSince ?? now))[0]
      const left = longest === undefined ? patience : (longest.idleSince ?? now) + patience - now
      if (longest !== undefined && left <= 0) yield* leave(longest)
      yield* Effect.sleep(Math.max(left, nextLook))
    }
  })

  const waited = Effect.raceFirst(Effect.interruptible(places.take(1)), makeRoom).pipe(
    Effect.timeoutOrElse({ duration: waitsAtMost, orElse: () => tooBusy })
  )

  /** A place until the scope closes, or until it has to give way. */
  const enter: Effect.Effect<Held, TooBusy, Scope.Scope> = Effect.acquireRelease(
    Effect.map(Effect.interruptible(waited), () => {
      const held: Held = { payload: null, idleSince: null, released: false }
      holders.add(held)
      return held
    }),
    leave
  )

  const chunks = (held: Held): Stream.Stream<Uint8Array, TooBusy> =>
    Stream.paginate(0, (from) =>
      Effect.gen(function* () {
        const { payload } = held
        if (payload === null) return yield* tooBusy
        const next = from + piecesAChunk * pieceBytes
        const pieces = piecesOf(payload, from)
        if (next >= payload.length) {
          yield* leave(held)
          return [pieces, Option.none()] as const
        }
        held.idleSince = yield* monotonicMillis
        return [pieces, Option.some(next)] as const
      })
    )

  return <E>(read: Effect.Effect<Uint8Array, E>): Stream.Stream<Uint8Array, E | TooBusy> =>
    Stream.unwrap(
      Effect.gen(function* (): Effect.fn.Return<Stream.Stream<Uint8Array, TooBusy>, E | TooBusy, Scope.Scope> {
        const held = yield* enter
        const payload = yield* read
        if (payload.length === 0) {
          yield* leave(held)
          return Stream.empty
        }
        held.payload = payload
        held.idleSince = yield* monotonicMillis
        return chunks(held)
      })
    )
})

/** Of a server, whose places are there once and not once for each tenant; null: whoever answers makes its own. */
export const PayloadPieces = Context.Reference<Effect.Success<typeof make> | null>("tapestry/PayloadPieces", {
  defaultValue: () => null
})
