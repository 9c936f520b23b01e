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
 * a process that dies looks the same, and its calls must not go on. A browser that was made to speak HTTP here is told so once,
 * and nothing that it sends is served: the lines of a POST's body are lines like any other.
 */
import type { Socket } from "node:net"
import { Effect, Latch, Schema } from "effect"
import { TooBusy } from "../contract/Border.ts"
import * as breather from "./breather.ts"
import * as httpLine from "./httpLine.ts"
import { type Line, LineReader } from "./LineReader.ts"
import { maxConnections, maxLocalConnections } from "./limits.ts"
import { parseLine } from "./parseLine.ts"
import { type Connection, type Incoming, RpcHost, type Transport } from "./RpcHost.ts"

/** Milliseconds that what was written may take to leave when the server closes the connection. */
const closingTime = 2_000

/** From here on a frame is not held back for others to leave with it. Bytes. */
const largeFrame = 16 * 1024

const tooBusy = (kind: "tcp" | "unix"): string => {
  const error = new TooBusy({ limit: "connections", max: kind === "unix" ? maxLocalConnections : maxConnections })
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

/** What a line says, and whether it is the last that is read. */
const read = (line: Line): { readonly incoming: Incoming; readonly isLast: boolean } =>
  httpLine.isHttp(line)
    ? {
        incoming: { _tag: "Refused", line: line.line, code: "MalformedLine", message: httpLine.message },
        isLast: true
      }
    : { incoming: parseLine(line), isLast: line._tag === "TooLong" }

const readAll = Effect.fnUntraced(function* (socket: Socket, connection: Connection) {
  const lines = new LineReader()
  const pull = makePull(socket)
  const breathe = breather.make()
  while (true) {
    const bytes = yield* pull
    if (bytes === null) return
    for (const line of lines.feed(bytes)) {
      yield* breathe
      const { incoming, isLast } = read(line)
      yield* connection.receive(incoming)
      if (isLast) return
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
      socket.write(tooBusy(kind))
      return
    }
    yield* Effect.raceFirst(readAll(socket, connection), closed)
  },
  Effect.scoped
)
