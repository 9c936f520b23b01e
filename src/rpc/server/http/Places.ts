/**
 * The places that TCP connections of the HTTP server take among the server's 1,024, from their first byte to their last: a
 * keep-alive connection that idles holds one, and so does a WebSocket.
 *
 * Who gets no place is told so (503, TooBusy) when its request has come, and is cut off when none comes within `patienceMillis`.
 * One connection runs one POST at a time: requests that are sent ahead (pipelining) would only wait for each other's answers,
 * and each would bring its own share of calls.
 */
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { Effect, type Scope, Semaphore } from "effect"
import type { RpcHost } from "../RpcHost.ts"

interface Place {
  admitted: boolean
  readonly turn: Semaphore.Semaphore
}

export interface Places {
  /** Holds a place for as long as the connection is open; done when it is closed. */
  readonly hold: (socket: Socket) => Effect.Effect<void>
  /** Whether the connection has a place. */
  readonly has: (socket: Duplex) => boolean
  /** Waits for the requests of the connection that came before; the turn ends with the scope. */
  readonly turn: (socket: Duplex) => Effect.Effect<void, never, Scope.Scope>
}

/** For the log. */
export const peerOf = (socket: Socket): string => `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`

const patienceMillis = 5_000

const closed = (socket: Socket): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const done = () => resume(Effect.void)
    if (socket.destroyed) return done()
    socket.once("close", done)
    return Effect.sync(() => socket.off("close", done))
  })

/** Cuts a connection without a place off, unless it ends by itself. */
const limited = (socket: Socket) => {
  const cut = setTimeout(() => socket.destroy(), patienceMillis)
  socket.once("close", () => clearTimeout(cut))
}

export const make = (host: RpcHost["Service"]): Places => {
  const places = new WeakMap<Duplex, Place>()
  return {
    hold: (socket) =>
      Effect.scoped(
        Effect.gen(function* () {
          const place: Place = { admitted: true, turn: Semaphore.makeUnsafe(1) }
          places.set(socket, place)
          place.admitted = yield* host.admit
          if (!place.admitted) limited(socket)
          yield* closed(socket)
        })
      ),
    has: (socket) => places.get(socket)?.admitted ?? false,
    turn: (socket) =>
      Effect.suspend(() => {
        const turn = places.get(socket)?.turn
        if (turn === undefined) return Effect.void
        return Effect.asVoid(Effect.acquireRelease(turn.take(1), () => turn.release(1), { interruptible: true }))
      })
  }
}
