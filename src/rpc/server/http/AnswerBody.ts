/**
 * The body of one HTTP answer, between the calls that write it and node's response that takes it.
 *
 * Responsibilities: keeps what was written, in order, until it is taken; holds the status back until it is decided, since the
 * first line refused makes it 400 and only the end of the request makes it 200.
 *
 * Queueing: writing is done when less than `highWater` is kept, so each call that writes has one message here at most. What is
 * kept is taken as one piece: many small answers then cost one write, and one flush of gzip.
 *
 * Hard cases: nothing is taken before the status is decided, and whoever decides it may in turn wait for the writers. So writers
 * do not wait before, up to `patience`; an answer that is longer than that while its request still comes begins as 200, whatever
 * the rest of the request holds. Who writes after the end, or waits when the client goes, waits until the request's scope closes,
 * which interrupts its calls first: a stream that was told that all is well would run on into nothing.
 */
import { Cause, Deferred, Effect, Latch, type Pull, Stream } from "effect"

export interface AnswerBody {
  /** Done when there is room for more. */
  readonly write: (frame: Uint8Array | string) => Effect.Effect<void>
  /** The first decision holds. */
  readonly decide: (status: number) => void
  /** Whether nothing was written yet. */
  readonly isEmpty: () => boolean
  readonly status: Effect.Effect<number>
  /** Nothing more will be written; the body ends when what is kept has been taken. */
  readonly end: () => void
  /** The request is gone, and its calls are interrupted: throws away what is kept, and lets go who waits for room. */
  readonly close: () => void
  readonly bytes: Stream.Stream<Uint8Array>
}

/** Bytes (of text: characters) that are kept before writers wait. */
const highWater = 64 * 1024
/** Bytes that are kept for a status that is not decided. */
const patience = 1024 * 1024

const joined = (frames: ReadonlyArray<Uint8Array | string>): Uint8Array => {
  const pieces = frames.map((frame) => (typeof frame === "string" ? Buffer.from(frame) : frame))
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
}

export const make = (): AnswerBody => {
  const status = Deferred.makeUnsafe<number>()
  const room = Latch.makeUnsafe(true)
  const something = Latch.makeUnsafe(false)
  let frames: Array<Uint8Array | string> = []
  let kept = 0
  let empty = true
  let decided = false
  let ended = false
  let closed = false

  const decide = (value: number): void => {
    decided = true
    Deferred.doneUnsafe(status, Effect.succeed(value))
  }

  const take: Pull.Pull<readonly [Uint8Array], never> = Effect.suspend(() => {
    if (frames.length === 0) return ended ? Cause.done() : Effect.andThen(something.await, take)
    const taken = frames
    frames = []
    kept = 0
    if (!ended) something.closeUnsafe()
    room.openUnsafe()
    return Effect.succeed([joined(taken)] as const)
  })

  return {
    write: (frame) =>
      Effect.suspend(() => {
        if (closed) return Effect.void
        if (ended) return Effect.never
        frames.push(frame)
        empty = false
        kept += frame.length
        something.openUnsafe()
        if (kept < (decided ? highWater : patience)) return Effect.void
        // In this order: deciding may have everything taken at once.
        room.closeUnsafe()
        decide(200)
        return room.await
      }),
    decide,
    isEmpty: () => empty,
    status: Deferred.await(status),
    end: () => {
      ended = true
      something.openUnsafe()
    },
    close: () => {
      closed = true
      ended = true
      frames = []
      kept = 0
      something.openUnsafe()
      room.openUnsafe()
    },
    bytes: Stream.fromPull(Effect.succeed(take))
  }
}
