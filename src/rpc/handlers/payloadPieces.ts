import { Array as Arr, Effect, Option, type Scope, Semaphore, Stream } from "effect"

/** The size of a piece in bytes. */
export const pieceBytes = 65_536
/** A megabyte of JSON lines in base64 is what a message may grow to; four pieces stay well below it and save round trips. */
const piecesAChunk = 4
/** How many payloads of more than one piece are held in memory for readers that take their time. */
const heldAtOnce = 4

const piecesOf = (payload: Uint8Array, from: number): ReadonlyArray<Uint8Array> =>
  Arr.makeBy(Math.min(piecesAChunk, Math.ceil((payload.length - from) / pieceBytes)), (index) => {
    const start = from + index * pieceBytes
    return payload.subarray(start, start + pieceBytes)
  })

/**
 * Payloads in pieces, which are views of the bytes and not copies.
 *
 * Responsibilities: a payload is verified as a whole before its first byte goes out, so it is in memory until the last one has.
 * Queueing: at most four large payloads are held at once; whoever asks for another waits, in order of arrival. Hard cases: a
 * small payload does not keep its place while its reader takes its time; one that leaves, waiting or reading, gives its place
 * back.
 */
export const make = Effect.map(
  Semaphore.make(heldAtOnce),
  (places) =>
    <E>(read: Effect.Effect<Uint8Array, E>): Stream.Stream<Uint8Array, E> =>
      Stream.unwrap(
        Effect.gen(function* (): Effect.fn.Return<Stream.Stream<Uint8Array>, E, Scope.Scope> {
          let held = true
          const leave = Effect.suspend(() => {
            if (!held) return Effect.void
            held = false
            return places.release(1)
          })
          yield* Effect.acquireRelease(Effect.interruptible(places.take(1)), () => leave)
          const payload = yield* read
          if (payload.length <= pieceBytes) yield* leave
          if (payload.length === 0) return Stream.empty
          return Stream.paginate(0, (from) => {
            const next = from + piecesAChunk * pieceBytes
            return Effect.succeed([piecesOf(payload, from), next < payload.length ? Option.some(next) : Option.none()])
          })
        })
      )
)
