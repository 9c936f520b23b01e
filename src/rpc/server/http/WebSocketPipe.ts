/**
 * One WebSocket as two bounded ends: what the client sends, and what it is sent. The `ws` package stops here.
 *
 * Queueing: reading is effect's socket, which stops reading from the network while 64 KiB wait to be handled. Writing is done
 * when less than `highWater` is on its way to the network, else when this very message has left.
 *
 * Hard cases: a client that sends pings and reads nothing would pile up pongs, so a ping gets its pong only while there is
 * room. A client that does not take part in closing is cut off after `closeGrace`.
 */
import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, type Scope } from "effect"
import { Socket } from "effect/socket"

export interface WebSocketPipe {
  /** Messages in the order they came; text as strings. Fails when the WebSocket is closed. */
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array | string>, Socket.SocketError>
  /** Bytes as a binary message, text as text. */
  readonly write: (frame: Uint8Array | string) => Effect.Effect<void>
  /** Begins to close; `reason` is cut to what a close frame holds (123 bytes). */
  readonly close: (code: number, reason: string) => Effect.Effect<void>
}

const highWater = 64 * 1024
const closeGraceMillis = 1_000

const closeReason = (reason: string) =>
  Buffer.from(reason)
    .subarray(0, 123)
    .toString()
    .replace(/\uFFFD+$/, "")

/** Begins to close; who takes no part in it is cut off. */
export const closeSocket = (socket: NodeWS.WebSocket, code: number, reason: string) => {
  if (socket.readyState !== NodeWS.WebSocket.OPEN) return
  socket.close(code, closeReason(reason))
  // Reading may be paused, and the client's own close frame comes behind what was not read.
  socket.resume()
  const cut = setTimeout(() => socket.terminate(), closeGraceMillis)
  socket.once("close", () => clearTimeout(cut))
}

/** Owns the WebSocket: closing the scope closes it, as going away (1001) unless it was closed before. */
export const make = (socket: NodeWS.WebSocket): Effect.Effect<WebSocketPipe, Socket.SocketError, Scope.Scope> =>
  Effect.gen(function* () {
    socket.on("ping", (data) => {
      if (socket.bufferedAmount < highWater) socket.pong(data)
    })
    const acquired = Effect.acquireRelease(Effect.succeed(socket), () =>
      Effect.sync(() => closeSocket(socket, 1001, "the server closes the connection"))
    )
    const { pull } = yield* (yield* Socket.fromWebSocket(acquired)).reader
    return {
      pull,
      write: (frame) =>
        Effect.callback<void>((resume) => {
          if (socket.readyState !== NodeWS.WebSocket.OPEN) return resume(Effect.void)
          let done = false
          const finish = () => {
            if (done) return
            done = true
            resume(Effect.void)
          }
          socket.send(frame, { binary: typeof frame !== "string" }, finish)
          if (socket.bufferedAmount < highWater) finish()
        }),
      close: (code, reason) => Effect.sync(() => closeSocket(socket, code, reason))
    }
  })
