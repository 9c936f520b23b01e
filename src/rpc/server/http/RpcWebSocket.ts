/**
 * GET /rpc with an upgrade: one connection of the host's over one WebSocket, in effect's binary RPC frames.
 *
 * What the client may do wrong: text closes with 1002, bytes that are no frame of the protocol with 1007, a message over 1 MiB
 * with 1009 (by `ws` itself, before it is held in memory), and a reason each. What can be decoded is the host's to judge.
 */
import { Effect, Result, type Scope } from "effect"
import { RpcSerialization } from "effect/rpc"
import type { Socket } from "effect/socket"
import type { Connection, RpcHost } from "../RpcHost.ts"
import type { WebSocketPipe } from "./WebSocketPipe.ts"

export interface RpcWebSocketOptions {
  readonly host: RpcHost["Service"]
  readonly serialization: RpcSerialization.RpcSerialization["Service"]
  readonly peer: string
  readonly headers: ReadonlyArray<[string, string]>
}

/** Of one message, and of one frame that comes in several. */
export const maxMessage = 1024 * 1024

export const serialization = RpcSerialization.layerSchemaBinary({ maxFrameSize: maxMessage })

type Decoded =
  | { readonly _tag: "Messages"; readonly values: ReadonlyArray<unknown> }
  | { readonly _tag: "Broken"; readonly code: number; readonly reason: string }

const noFrame: Decoded = {
  _tag: "Broken",
  code: 1007,
  reason: "a message holds whole frames of the binary RPC protocol of this release; this one does not"
}

/**
 * Text is no frame; bytes go through the parser of the connection, which throws where they are none either. A parser waits for the
 * rest of half a frame, but WebSockets keep messages whole: what yields nothing will never be one.
 */
const decode = (parser: RpcSerialization.Parser, message: Uint8Array | string): Decoded => {
  if (typeof message === "string") {
    return { _tag: "Broken", code: 1002, reason: "binary messages are expected here, and this one is text" }
  }
  const values = Result.try(() => parser.decode(message))
  if (Result.isFailure(values) || values.success.length === 0) return noFrame
  return { _tag: "Messages", values: values.success }
}

const readAll = Effect.fnUntraced(function* (
  pipe: WebSocketPipe,
  connection: Connection,
  parser: RpcSerialization.Parser
): Effect.fn.Return<void, Socket.SocketError> {
  let line = 0
  while (true) {
    for (const message of yield* pipe.pull) {
      const decoded = decode(parser, message)
      if (decoded._tag === "Broken") return yield* pipe.close(decoded.code, decoded.reason)
      for (const value of decoded.values) {
        line += 1
        yield* connection.receive({ _tag: "Message", line, value, bytes: message.length })
      }
    }
  }
})

/** Serves the WebSocket until it closes. */
export const serve = Effect.fnUntraced(function* (
  pipe: WebSocketPipe,
  options: RpcWebSocketOptions
): Effect.fn.Return<void, Socket.SocketError, Scope.Scope> {
  const connection = yield* options.host.connect({
    kind: "websocket",
    peer: options.peer,
    format: "binary",
    acknowledges: true,
    admitted: true,
    headers: options.headers,
    write: pipe.write,
    close: (reason) => pipe.close(1001, reason)
  })
  if (connection === null) return yield* pipe.close(1013, "as many connections are open as may be; try again later")
  yield* readAll(pipe, connection, options.serialization.makeUnsafe())
})
