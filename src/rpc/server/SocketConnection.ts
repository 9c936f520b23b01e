/**
 * One client over a TCP or Unix socket, from accepting it to its end.
 *
 * Responsibilities: cuts what comes into lines and hands them to the host, one after the other; writes the host's frames; ends
 * the connection's scope, and so its calls, when the client is gone.
 *
 * Queueing: nothing is read while a line waits for its turn at the host, so a client that sends more than it takes is slowed
 * down by the kernel. Node's own buffer holds what the kernel does not take of what is written; `write` is done when it has.
 *
 * Hard cases: answers of one turn of the event loop leave in one packet. A client that reads nothing cannot keep the server from
 * closing: what is written has two seconds to leave. A reset is an end like any other. Who closes only its sending side is gone:
 * a process that dies looks the same, and its calls must not go on.
 */
import type { Socket } from "node:net"
import { Effect, Latch, Schema } from "effect"
import { TooBusy } from "../contract/Border.ts"
import { LineReader } from "./LineReader.ts"
import { maxConnections } from "./limits.ts"
import { parseLine } from "./parseLine.ts"
import { type Connection, RpcHost, type Transport } from "./RpcHost.ts"

/** Milliseconds that what was written may take to leave when the server closes the connection. */
const closingTime = 2_000

/** From here on a frame is not held back for others to leave with it. Bytes. */
const largeFrame = 16 * 1024

/** Then it is the turn of other connections: a client may send hundreds in one write. */
const linesInARow = 16

const tooBusy = (): string => {
  const error = new TooBusy({ limit: "connections", max: maxConnections })
  return `${JSON.stringify(Schema.encodeSync(TooBusy)(error))}\n`
}

/** Ends the socket after what was written. */
const close = (socket: Socket): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (socket.destroyed) return resume(Effect.void)
    const timer = setTimeout(() => socket.destroy(), closingTime)
    socket.once("close", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    // What still comes is thrown away: bytes left unread make the kernel send a reset, which overtakes our last words.
    socket.removeAllListeners("readable")
    socket.resume()
    socket.end()
  })

const makeWrite = (socket: Socket): Transport["write"] => {
  const room = Latch.makeUnsafe(true)
  const open = () => room.openUnsafe()
  socket.on("drain", open)
  socket.on("close", open)
  const uncork = () => socket.uncork()
  return (frame) =>
    Effect.suspend(() => {
      if (socket.destroyed || socket.writableEnded) return Effect.void
      if (frame.length < largeFrame && socket.writableCorked === 0) {
        socket.cork()
        setImmediate(uncork)
      }
      if (socket.write(frame)) return Effect.void
      room.closeUnsafe()
      return room.await
    })
}

/** The bytes that have come, or null when no more will. */
const makePull = (socket: Socket): Effect.Effect<Buffer | null> => {
  let wake: () => void = () => {}
  socket.on("readable", () => wake())
  socket.on("close", () => wake())
  const pull: Effect.Effect<Buffer | null> = Effect.suspend(() => {
    const bytes: Buffer | null = socket.read()
    if (bytes !== null) return Effect.succeed(bytes)
    return socket.readableEnded || socket.destroyed ? Effect.succeed(null) : Effect.andThen(more, pull)
  })
  const more = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
  })
  socket.on("end", () => wake())
  return pull
}

const readAll = Effect.fnUntraced(function* (socket: Socket, connection: Connection) {
  const lines = new LineReader()
  const pull = makePull(socket)
  while (true) {
    const bytes = yield* pull
    if (bytes === null) return
    let served = 0
    for (const line of lines.feed(bytes)) {
      yield* connection.receive(parseLine(line))
      if (line._tag === "TooLong") return
      served += 1
      if (served % linesInARow === 0) yield* Effect.yieldNow
    }
  }
})

/** Serves the client until it is gone, or the host closes the connection. */
export const serve: (socket: Socket, kind: "tcp" | "unix") => Effect.Effect<void, never, RpcHost> = Effect.fnUntraced(
  function* (socket, kind) {
    const closed = Effect.callback<void>((resume) => {
      if (socket.destroyed) return resume(Effect.void)
      socket.once("close", () => resume(Effect.void))
    })
    const host = yield* RpcHost
    yield* Effect.addFinalizer(() => close(socket))
    const connection = yield* host.connect({
      kind,
      peer: kind === "unix" ? "unix" : `${socket.remoteAddress}:${socket.remotePort}`,
      format: "ndjson",
      acknowledges: true,
      headers: [],
      write: makeWrite(socket),
      close: (reason) =>
        Effect.andThen(Effect.annotateLogs(Effect.logDebug("tapestry.closing"), { reason }), close(socket))
    })
    if (connection === null) {
      socket.write(tooBusy())
      return
    }
    yield* Effect.raceFirst(readAll(socket, connection), closed)
  },
  Effect.scoped
)
