/**
 * Lets those who would send to a client through only while it has room.
 *
 * Responsibilities: knows how many writes the client's buffer has not taken yet, and makes streams pull their next rows, and the
 * reader begin the next call, only when there are none. So a client that reads nothing costs one chunk, not one for each of its
 * streams, and nothing is pulled for it in advance.
 *
 * Queueing: first come, first served, and not more waiting than the connection's calls and its reader. A turn of the event loop
 * lets through, over all connections, as many as begin within two milliseconds; the rest wait for the next, so that calls of
 * others come in between. What one sends is seen before the next one of its connection pulls. One that waits for something (a
 * vendor) holds up nobody, since its place is given on.
 *
 * Hard cases: whoever is interrupted while it waits leaves the queue; a write goes on when its call is interrupted, and is
 * counted until the buffer has taken it, else a client that opens and interrupts streams without reading would fill memory.
 */
import { Effect } from "effect"

export interface Turnstile {
  /** Done when it is the caller's turn; at once, mostly. */
  readonly pass: Effect.Effect<void>
  readonly hasRoom: () => boolean
  /** A write was begun that the buffer has not taken. */
  readonly sent: () => void
  /** The buffer has taken it. */
  readonly taken: () => void
}

/** Of the event loop, shared by all connections. */
export interface Turns {
  /** Whether this turn has time left for one more. */
  readonly hasTime: () => boolean
  /** Runs it in a later turn, after those that came before. */
  readonly later: (go: () => void) => void
}

/** Milliseconds of a turn in which another may begin; what one does is not cut short. */
const turnTime = 2

export const makeTurns = (): Turns => {
  const queue = new Set<() => void>()
  let began: number | null = null

  const hasTime = () => {
    if (began === null) {
      began = performance.now()
      setImmediate(end)
      return true
    }
    return performance.now() - began < turnTime
  }

  const end = () => {
    began = null
    for (const go of queue) {
      if (!hasTime()) return
      queue.delete(go)
      go()
    }
  }

  return {
    hasTime,
    later: (go) => {
      queue.add(go)
      if (began === null) hasTime()
    }
  }
}

/** `onRoom` runs whenever nothing is left to be taken. */
export const make = (turns: Turns, onRoom: () => void): Turnstile => {
  let unsent = 0
  const waiting = new Set<() => void>()

  const turn = (): void => {
    const [first] = waiting
    if (unsent > 0 || first === undefined) return
    waiting.delete(first)
    if (waiting.size > 0) turns.later(turn)
    first()
  }

  const wait = Effect.callback<void>((resume) => {
    const go = () => resume(Effect.void)
    waiting.add(go)
    if (unsent === 0) turns.later(turn)
    return Effect.sync(() => {
      waiting.delete(go)
    })
  })

  return {
    pass: Effect.suspend(() => (unsent === 0 && waiting.size === 0 && turns.hasTime() ? Effect.void : wait)),
    hasRoom: () => unsent === 0,
    sent: () => {
      unsent += 1
    },
    taken: () => {
      unsent -= 1
      if (unsent > 0) return
      onRoom()
      if (waiting.size > 0) turns.later(turn)
    }
  }
}
