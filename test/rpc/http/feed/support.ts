/** Feeds of a real server over real sockets, of vendors that stream in the time of the test's clock or when they are told to. */
import { WebSocket } from "@effect/platform-node/NodeWS"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { type PushVendor, pushVendor } from "../../../../bench/support/pushVendor.ts"
import type { StreamKind } from "../../../../src/domain/streams/StreamKind.ts"
import type { StreamRow, Ticker } from "../../../../src/domain/streams/StreamRow.ts"
import { type FeedLimits, feedDefaults } from "../../../../src/layers/config/FeedLimits.ts"
import type { HttpListenerOptions } from "../../../../src/rpc/server/HttpListener.ts"
import type { Adapter } from "../../../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../../../src/services/AdapterRegistry.ts"
import type { StreamSink } from "../../../../src/services/StreamCapability.ts"
import { settled } from "../../../layers/stitching/support.ts"
import { began, over, vendorOf } from "../../../layers/streams/support.ts"
import { serve, turn } from "../support.ts"

export type Said = Readonly<Record<string, unknown>>

/** A market that follows from a seed, and a server of its feeds. */
export const modelServer = Effect.fnUntraced(function* (
  stream: Parameters<typeof vendorOf>[0] = {},
  options: Partial<HttpListenerOptions> = {},
  vendor: Parameters<typeof vendorOf>[1] = {}
) {
  yield* TestClock.setTime(began)
  const model = vendorOf(stream, vendor)
  const server = yield* serve(options, undefined, undefined, undefined, Layer.orDie(over(model)))
  yield* settled
  return { ...server, model }
})

export interface Pushing extends Omit<PushVendor, "sink"> {
  /** Of a stream, by kind and symbol, when it has been opened. */
  readonly sink: (kind: StreamKind, symbol: string) => Effect.Effect<StreamSink>
}

/** A vendor that sends what it is told to. */
export const pushing = (kinds: ReadonlyArray<StreamKind>, name = "desk"): Pushing => {
  const vendor = pushVendor(kinds, name, false)
  return {
    ...vendor,
    sink: Effect.fnUntraced(function* (kind, symbol) {
      for (;;) {
        const found = vendor.sink(kind, symbol)
        if (found !== undefined) return found
        yield* turn
      }
    })
  }
}

/** A server of the feeds of such a vendor. */
export const pushServer = Effect.fnUntraced(function* (
  vendor: Pushing,
  limits: Partial<FeedLimits> = {},
  beside: ReadonlyArray<Adapter> = []
) {
  yield* TestClock.setTime(began)
  const model = vendorOf()
  const live = Layer.orDie(over({ ...model, adapter: { ...model.adapter, ...vendor.adapter } })).pipe(
    Layer.tap((context) =>
      Effect.forEach(beside, (adapter) =>
        Effect.orDie(Context.get(context, AdapterRegistry).register(Effect.succeed(adapter)))
      )
    )
  )
  return yield* serve({ feeds: { ...feedDefaults, ...limits } }, undefined, undefined, undefined, live)
})

export const ticker = (bid: number): Ticker => ({
  tsNs: BigInt(began) * 1_000_000n + BigInt(Math.round(bid)),
  bid,
  bidSize: 100,
  ask: bid + 1,
  askSize: 200,
  venue: null,
  sequence: null,
  conditions: null,
  last: bid,
  lastSize: 10,
  volume: 1_000,
  open: null,
  high: null,
  low: null,
  previousClose: null
})

/** So many rows, each in a turn of its own, so that what reads them could read each. */
export const pushEach = (sink: StreamSink, rows: ReadonlyArray<StreamRow>) =>
  Effect.forEach(
    rows,
    (row) =>
      Effect.andThen(
        Effect.sync(() => sink.row(row)),
        settled
      ),
    { discard: true }
  )

/** A client that writes down what it is told, closed with the test. */
export const listen = Effect.fnUntraced(function* (
  port: number,
  path: string,
  options: { readonly autoPong?: boolean; readonly headers?: Record<string, string> } = {}
) {
  const messages: Array<Said> = []
  const watchers = new Set<() => void>()
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options)
      socket.on("message", (data: Buffer, isBinary) => {
        if (isBinary) throw new Error("a feed sends text")
        messages.push(JSON.parse(data.toString()))
        for (const watch of [...watchers]) watch()
      })
      socket.on("open", () => resume(Effect.succeed(socket)))
      socket.on("error", (error) => resume(Effect.die(error)))
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )
  const closed = new Promise<{ readonly code: number; readonly reason: string }>((resolve) =>
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }))
  )
  return {
    socket,
    messages,
    closed: Effect.promise(() => closed),
    types: () => messages.map(({ type }) => type),
    of: (type: string) => messages.filter((message) => message.type === type),
    /** Done when a message has come that is so; the first such. */
    until: (is: (message: Said) => boolean) =>
      Effect.callback<Said>((resume) => {
        const look = () => {
          const found = messages.find(is)
          if (found === undefined) return
          watchers.delete(look)
          resume(Effect.succeed(found))
        }
        watchers.add(look)
        look()
      })
  }
})
