/** What the RPC benches compare with: effect's own server as it comes, with answers that are ready before the call. */

import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, Layer, Schema, Stream } from "effect"
import { HttpRouter } from "effect/http"
import { Rpc, RpcGroup, RpcSerialization, RpcServer } from "effect/rpc"
import { Bar } from "../../src/domain/Bar.ts"

export class BaselineRpcs extends RpcGroup.make(
  Rpc.make("Baseline.echo", { payload: { text: Schema.String }, success: Schema.String }),
  Rpc.make("Baseline.rows", { success: Bar, stream: true })
) {}

const handlers = (rows: ReadonlyArray<Bar>, chunk: number) => {
  const chunks = Array.from({ length: Math.ceil(rows.length / chunk) }, (_, index) =>
    rows.slice(index * chunk, (index + 1) * chunk)
  )
  return BaselineRpcs.toLayer({
    "Baseline.echo": ({ text }) => Effect.succeed(text),
    "Baseline.rows": () => Stream.flatMap(Stream.fromIterable(chunks), Stream.fromArray)
  })
}

/** Effect's server over TCP as JSON lines. */
export const tcp = (port: number, rows: ReadonlyArray<Bar>, chunk: number) =>
  RpcServer.layer(BaselineRpcs, { disableTracing: true }).pipe(
    Layer.provide(handlers(rows, chunk)),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(NodeSocketServer.layer({ port, host: "127.0.0.1" })),
    Layer.provide(RpcSerialization.layerNdjson)
  )

/** Effect's server over WebSocket in its binary format, at `/rpc`. */
export const webSocket = (port: number, rows: ReadonlyArray<Bar>, chunk: number) =>
  HttpRouter.serve(
    RpcServer.layerHttp({ group: BaselineRpcs, path: "/rpc", protocol: "websocket", disableTracing: true }).pipe(
      Layer.provide(handlers(rows, chunk)),
      Layer.provide(RpcSerialization.layerSchemaBinary())
    ),
    { disableLogger: true, disableListenLog: true }
  ).pipe(Layer.provide(NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" })))
