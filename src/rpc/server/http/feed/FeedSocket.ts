/**
 * The socket of a client that is only sent to; the `ws` package and node's socket stop here.
 *
 * Queueing: that of node's socket, which says when it has 64 KiB waiting and when they are gone. Frames that are made are written to it
 * beside those of `ws` (see Frame.ts).
 *
 * Hard cases: a client that sends pings and reads nothing gets no pongs once its socket is full, so that they do not pile up; one that does
 * not take part in closing is cut off.
 */
import type { Duplex } from "node:stream"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { closeSocket } from "../WebSocketPipe.ts"
import type { FeedWire } from "./FeedClient.ts"

export interface FeedSocketEvents {
  /** The network takes more again. */
  readonly onRoom: () => void
  /** It sent a message, which nobody waits for. */
  readonly onMessage: () => void
  readonly onClose: () => void
}

export interface FeedSocket extends FeedWire {
  /** Asks whether somebody is there; false when nobody has answered since the last time. */
  readonly ping: () => boolean
  /** Cuts it off. */
  readonly cut: () => void
}

export const make = (socket: NodeWS.WebSocket, duplex: Duplex, events: FeedSocketEvents): FeedSocket => {
  let heard = true
  const room = () => duplex.writableLength < duplex.writableHighWaterMark
  duplex.on("drain", events.onRoom)
  socket.on("message", events.onMessage)
  socket.on("pong", () => {
    heard = true
  })
  socket.on("ping", (data) => {
    heard = true
    if (room()) socket.pong(data)
  })
  // It is closed then, and that is told below.
  socket.on("error", () => {})
  socket.once("close", () => {
    duplex.off("drain", events.onRoom)
    events.onClose()
  })
  return {
    write: (bytes) => (socket.readyState === NodeWS.WebSocket.OPEN ? duplex.write(bytes) : true),
    close: (code, reason) => closeSocket(socket, code, reason),
    ping: () => {
      if (!heard) return false
      heard = false
      if (socket.readyState === NodeWS.WebSocket.OPEN) socket.ping()
      return true
    },
    cut: () => socket.terminate()
  }
}
