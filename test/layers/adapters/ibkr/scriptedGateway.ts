/**
 * A TCP server that says to each connection exactly what a test has written down, for what no well-made gateway sends. What a whole
 * gateway does is the simulator's.
 */
import { createServer, type Server, type Socket } from "node:net"
import { Effect } from "effect"
import { frameOf } from "../../../../src/layers/adapters/ibkr/frames.ts"

export interface Talk {
  /** Which connection it is, from 1. */
  readonly number: number
  readonly socket: Socket
  readonly send: (...fields: ReadonlyArray<string | number>) => void
  readonly raw: (bytes: Uint8Array) => void
}

export interface Script {
  readonly version?: number
  /** Instead of the version. */
  readonly onConnect?: (talk: Talk) => void
  /** Instead of accounts, the order number and the farms. */
  readonly onStart?: (talk: Talk) => void
  /** Every message after the start. */
  readonly onMessage?: (fields: ReadonlyArray<string>, talk: Talk) => void
}

export const welcome = ({ send }: Talk): void => {
  send(15, 1, "DU1,DU2")
  send(9, 1, 1)
  send(4, 2, -1, 2104, "Market data farm connection is OK:usfarm", "")
  send(4, 2, -1, 2106, "HMDS data farm connection is OK:ushmds", "")
  send(4, 2, -1, 2158, "Sec-def data farm connection is OK:secdefnj", "")
}

/** Answers what a session asks by itself. */
export const answerTime = (fields: ReadonlyArray<string>, { send }: Talk, now: () => number = Date.now): void => {
  if (fields[0] === "49") send(49, 1, Math.floor(now() / 1000))
}

const decoder = new TextDecoder()

const serve = (script: Script, socket: Socket, number: number, log: Array<ReadonlyArray<string>>) => {
  const raw = (bytes: Uint8Array) => socket.writable && socket.write(bytes)
  const talk: Talk = { number, socket, raw, send: (...fields) => raw(frameOf(fields)) }
  let held = Buffer.alloc(0)
  let greeted = false
  socket.on("error", () => {})
  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    if (!greeted) {
      if (held.length < 8 || held.length < 8 + held.readInt32BE(4)) return
      held = held.subarray(8 + held.readInt32BE(4))
      greeted = true
      if (script.onConnect === undefined) talk.send(script.version ?? 193, "20260410 12:00:00 EST")
      else script.onConnect(talk)
    }
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const fields = decoder.decode(held.subarray(4, 4 + held.readInt32BE(0))).split("\0")
      fields.pop()
      held = held.subarray(4 + held.readInt32BE(0))
      log.push(fields)
      if (fields[0] === "71") (script.onStart ?? welcome)(talk)
      else (script.onMessage ?? answerTime)(fields, talk)
    }
  })
}

const listening = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

/** Closed with its scope. */
export const scripted = Effect.fnUntraced(function* (script: Script) {
  const sockets = new Set<Socket>()
  const messages: Array<ReadonlyArray<string>> = []
  let connections = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    serve(script, socket, ++connections, messages)
  })
  const port = yield* Effect.acquireRelease(
    Effect.promise(() => listening(server)),
    () =>
      Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            for (const socket of sockets) socket.destroy()
            server.close(() => resolve())
          })
      )
  )
  return {
    port,
    /** Everything that clients sent, in order; the fields of each message. */
    messages,
    connections: () => connections,
    open: () => sockets.size,
    drop: () => {
      for (const socket of sockets) socket.destroy()
    }
  }
})
