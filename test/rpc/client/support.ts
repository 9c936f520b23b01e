/** Starts, stops and kills servers, each a process of its own; whatever a test leaves running is ended with its scope. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, type Layer, Schema, type Scope } from "effect"
import * as HttpClient from "../../../src/rpc/client/HttpClient.ts"
import type { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../../src/rpc/client/TcpClient.ts"
import * as UnixClient from "../../../src/rpc/client/UnixClient.ts"
import * as WebSocketClient from "../../../src/rpc/client/WebSocketClient.ts"

const host = "127.0.0.1"
const HostPort = Schema.Struct({ host: Schema.String, port: Schema.Int })
const Addresses = Schema.fromJsonString(Schema.Struct({ http: HostPort, tcp: HostPort, socket: Schema.String }))
const decodeAddresses = Schema.decodeUnknownSync(Addresses)

export interface Server {
  readonly process: ChildProcess
  readonly addresses: typeof Addresses.Type
}

/** Where a server is to be, again and again. */
export interface Place {
  readonly directory: string
  readonly http: number
  readonly tcp: number
  readonly socket: string
}

/**
 * A port that is free, below those that the system hands out by itself: while a test has its server down, nobody else's
 * connection shall take it.
 */
const freePort: Effect.Effect<number> = Effect.suspend(() => {
  const port = 15_000 + Math.floor(Math.random() * 17_000)
  return Effect.callback<boolean>((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, host, () => server.close(() => resume(Effect.succeed(true))))
  }).pipe(Effect.flatMap((free) => (free ? Effect.succeed(port) : freePort)))
})

export const temporary: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-client-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

export const place: Effect.Effect<Place, never, Scope.Scope> = Effect.gen(function* () {
  const directory = yield* temporary
  return { directory, http: yield* freePort, tcp: yield* freePort, socket: join(directory, "s") }
})

export const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

export const kill = (child: ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    child.kill("SIGKILL")
    return ended(child)
  })

const program = fileURLToPath(new URL("./server.ts", import.meta.url))

/** A server that listens already; it is killed when the scope closes. */
export const start = (
  where: Place,
  allowedOrigins: ReadonlyArray<string> = []
): Effect.Effect<Server, Error, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { http, socket, tcp } = where
      const asked = JSON.stringify({ dataDir: join(where.directory, "data"), http, tcp, socket, allowedOrigins })
      return spawn(process.execPath, [program, asked], { stdio: ["ignore", "pipe", "pipe"] })
    }),
    kill
  ).pipe(
    Effect.flatMap((child) =>
      Effect.callback<Server, Error>((resume) => {
        let said = ""
        let complained = ""
        child.stderr?.on("data", (text) => {
          complained += text
        })
        child.stdout?.on("data", (text) => {
          said += text
          const line = said.split("\n").find((part) => part.startsWith('{"http"'))
          if (line !== undefined) resume(Effect.succeed({ process: child, addresses: decodeAddresses(line) }))
        })
        child.once("exit", () => resume(Effect.fail(new Error(`the server ended: ${said}${complained}`))))
      })
    )
  )

export const transports = ["tcp", "unix", "http", "websocket"] as const
export type Transport = (typeof transports)[number]

export const clientOf = (transport: Transport, where: Place): Layer.Layer<TapestryClient> => {
  switch (transport) {
    case "tcp":
      return TcpClient.layer({ host, port: where.tcp })
    case "unix":
      return UnixClient.layer({ path: where.socket })
    case "http":
      return HttpClient.layer({ url: `http://${host}:${where.http}/rpc` })
    case "websocket":
      return WebSocketClient.layer({ url: `ws://${host}:${where.http}/rpc` })
  }
}
