/** A client of each transport, of a server in this process over the services that it is given. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, type Scope } from "effect"
import type { TapestryServices } from "../../src/layers/Tapestry.ts"
import * as HttpClient from "../../src/rpc/client/HttpClient.ts"
import type { TapestryClient } from "../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../src/rpc/client/TcpClient.ts"
import * as UnixClient from "../../src/rpc/client/UnixClient.ts"
import * as WebSocketClient from "../../src/rpc/client/WebSocketClient.ts"
import { type Addresses, type ServedOptions, serve } from "../../src/rpc/server/Served.ts"
import { adminToken } from "./adminToken.ts"

const host = "127.0.0.1"

/** Removed with the scope. Its name is short, since the path of a socket may have some hundred bytes. */
export const socketPath: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-socket-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  ),
  (directory) => join(directory, "s")
)

const at = (address: { readonly port: number } | null): string => `${host}:${address?.port ?? 0}`

/** How to reach a server at these addresses. */
export const transports: {
  readonly [name: string]: (addresses: Addresses) => Layer.Layer<TapestryClient>
} = {
  TCP: ({ tcp }) => TcpClient.layer({ host, port: tcp?.port ?? 0 }),
  Unix: ({ socket }) => UnixClient.layer({ path: socket ?? "" }),
  HTTP: ({ http }) => HttpClient.layer({ url: `http://${at(http)}/rpc` }),
  WebSocket: ({ http }) => WebSocketClient.layer({ url: `ws://${at(http)}/rpc` })
}

/** A server with every listener, on ports that are free. */
export const servedWith = Effect.fnUntraced(function* (options: Pick<ServedOptions, "adminToken">) {
  const socket = yield* socketPath
  return yield* serve({
    product: "0.0.0-test",
    http: { host, port: 0, allowedHosts: [], allowedOrigins: [] },
    tcp: { host, port: 0 },
    socket,
    ...options
  })
})

export const everywhere = servedWith({ adminToken })

export const served = (
  connect: (addresses: Addresses) => Layer.Layer<TapestryClient>
): Layer.Layer<TapestryClient, unknown, TapestryServices> => Layer.unwrap(Effect.map(everywhere, connect))
