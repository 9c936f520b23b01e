/** Servers on loopback for tests: real sockets, closed with the scope. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

export interface LocalServer {
  readonly url: string
  /** Requests in order: `GET /path?query`. */
  readonly seen: ReadonlyArray<string>
  readonly headers: ReadonlyArray<IncomingMessage["headers"]>
  readonly bodies: ReadonlyArray<string>
  /** Connections that were opened. */
  readonly connections: () => number
}

const listening = (server: Server, sockets: Set<Socket>) =>
  Effect.acquireRelease(
    Effect.callback<AddressInfo>((resume) => {
      server.on("connection", (socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        socket.on("close", () => sockets.delete(socket))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        if (address !== null && typeof address === "object") resume(Effect.succeed(address))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  )

/** `answer` gets the number of the request, from 1. */
export const http = Effect.fnUntraced(function* (
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  options: { readonly keepAliveTimeout?: number } = {}
): Effect.fn.Return<LocalServer, never, Scope.Scope> {
  const seen: Array<string> = []
  const headers: Array<IncomingMessage["headers"]> = []
  const bodies: Array<string> = []
  let connections = 0
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    const count = seen.length
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      bodies.push(Buffer.concat(chunks).toString())
      answer(request, response, count)
    })
  })
  if (options.keepAliveTimeout !== undefined) server.keepAliveTimeout = options.keepAliveTimeout
  server.on("connection", () => {
    connections += 1
  })
  const { port } = yield* listening(server, new Set())
  return { url: `http://127.0.0.1:${port}`, seen, headers, bodies, connections: () => connections }
})

/** A server that writes what it likes. `count` numbers the requests of all connections from 1. */
export const raw = Effect.fnUntraced(function* (
  answer: (socket: Socket, count: number) => void
): Effect.fn.Return<
  { readonly url: string; readonly port: number; readonly requests: () => number },
  never,
  Scope.Scope
> {
  let count = 0
  const server = createTcp((socket) => {
    let buffered = ""
    socket.on("data", (chunk) => {
      buffered += chunk.toString("latin1")
      while (buffered.includes("\r\n\r\n")) {
        buffered = buffered.slice(buffered.indexOf("\r\n\r\n") + 4)
        count += 1
        answer(socket, count)
      }
    })
  })
  const { port } = yield* listening(server, new Set())
  return { url: `http://127.0.0.1:${port}`, port, requests: () => count }
})
