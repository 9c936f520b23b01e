/**
 * The JSON feeds of a listener: `/ws/quotes/{symbol}`, `/ws/depth/{symbol}`, `/ws/portfolio/{account}`.
 *
 * Responsibilities: what an address means, refused in words before there is a WebSocket; one feed for all who mean the same, which is one
 * subscription of MarketStreams, for as long as somebody reads it; the clients of it, their heartbeat and their end. Queueing: see FeedClient.ts.
 *
 * Hard cases: two that come at once for a feed that nobody has (one feed); a feed that has ended is made anew for who comes after; a client
 * that answers no ping is cut off at the next, since a half-open connection takes everything and says nothing; a row that cannot be written (the feed
 * ends and says so: heartbeats without it would be a silent gap).
 */
import type { Duplex } from "node:stream"
import type * as NodeWS from "@effect/platform-node/NodeWS"
import { Cause, Clock, Effect, Latch, RcMap, type Scope } from "effect"
import type { StreamQuery } from "../../../../domain/streams/StreamKey.ts"
import type { FeedLimits } from "../../../../layers/config/FeedLimits.ts"
import { enduring } from "../../../../layers/enduring.ts"
import { AdapterRegistry } from "../../../../services/AdapterRegistry.ts"
import { MarketStreams, type MarketStreamsError } from "../../../../services/MarketStreams.ts"
import type { InternalError } from "../../../contract/Border.ts"
import { errorPath } from "../../../handlers/errorPath.ts"
import { incident } from "../../../handlers/incident.ts"
import type { Refusal } from "../Refusal.ts"
import { streaming, vendorFor } from "../vendorFor.ts"
import type { Content } from "./Content.ts"
import { Feed } from "./Feed.ts"
import { FeedClient, type FeedEnd } from "./FeedClient.ts"
import * as FeedSocket from "./FeedSocket.ts"
import type { FeedKind, FeedTarget } from "./FeedTarget.ts"
import { feedProblem } from "./feedProblem.ts"
import * as Pace from "./Pace.ts"
import { portfolioContent } from "./portfolioContent.ts"
import type { FeedTally } from "./Tally.ts"
import { depthContent, quoteContent } from "./tickerContent.ts"
import { errorText } from "./words.ts"

/** What two addresses have in common that mean the same. */
interface FeedKey {
  readonly kind: FeedKind
  readonly vendor: string
  readonly symbol: string
  readonly conflate: boolean
  readonly streams: ReadonlyArray<StreamQuery>
}

/** A feed that was found, for a WebSocket that is open. */
export interface Found {
  /** Serves it until it closes. */
  readonly serve: (socket: NodeWS.WebSocket, duplex: Duplex) => Effect.Effect<void>
}

export interface Feeds {
  /** The feed is there until the scope closes. */
  readonly find: (target: FeedTarget) => Effect.Effect<Found, Refusal, Scope.Scope>
}

const contents: { readonly [K in FeedKind]: (key: Parameters<typeof quoteContent>[0]) => Content } = {
  quotes: quoteContent,
  depth: depthContent,
  portfolio: portfolioContent
}

/** Rows of a stream that may wait for a feed which has each of them; it takes them once a turn. */
const everyRow = { _tag: "sliding", rows: 100_000 } as const

const shuttingDown: FeedEnd = {
  code: 1001,
  reason: "the server is shutting down",
  text: errorText("ShuttingDown", "the server is shutting down; connect again", true)
}
const notExpected: FeedEnd = {
  code: 1003,
  reason: "nothing is to be sent here",
  text: errorText("NotExpected", "nothing is to be sent here: what is wanted is said by the address alone", false)
}

const failedBy = (error: MarketStreamsError): FeedEnd => ({
  code: 1011,
  reason: error.message,
  text: errorText(errorPath(error), error.message, true)
})

/** A mistake of ours: what it was is in the log, under its number. */
const brokenBy = (error: InternalError): FeedEnd => ({
  code: 1011,
  reason: error.message,
  text: errorText("InternalError", error.message, true)
})

export const make = Effect.fnUntraced(function* (limits: FeedLimits, tally: FeedTally) {
  const streams = yield* MarketStreams
  const registry = yield* AdapterRegistry
  const clock = yield* Clock.Clock
  const pace = yield* Pace.make
  const open = new Map<FeedClient, FeedSocket.FeedSocket>()

  const heartbeat = Effect.sync(() => {
    const at = new Date(clock.currentTimeMillisUnsafe()).toISOString()
    const now = pace.now()
    for (const [client, socket] of open) {
      if (socket.ping()) client.beat(at, now)
      else socket.cut()
    }
  })
  const beating = Effect.andThen(Effect.sleep(limits.heartbeatInterval), heartbeat)
  yield* Effect.forkScoped(enduring("the heartbeat of JSON feeds", beating, 0))

  const feeds: RcMap.RcMap<FeedKey, Feed, MarketStreamsError> = yield* RcMap.make({
    lookup: Effect.fnUntraced(function* (key: FeedKey) {
      const { conflate, kind, streams: wanted, vendor } = key
      const { keys, take } = yield* streams.subscribe(
        { vendor, streams: wanted },
        { policy: conflate ? { _tag: "latest" } : everyRow }
      )
      const [first] = keys
      if (first === undefined) return yield* Effect.die("a feed of nothing")
      const feed = new Feed(keys, contents[kind](first), conflate)
      const follow = Effect.gen(function* () {
        for (;;) {
          const items = yield* take
          if (items.length === 0) return feed.ending
          feed.receive(items, pace.now())
        }
      })
      yield* Effect.forkScoped(
        follow.pipe(
          Effect.catch((error) => Effect.succeed(failedBy(error))),
          Effect.catchDefect((defect) => Effect.map(incident(Cause.die(defect), { feed: kind }), brokenBy)),
          Effect.tap((end) => Effect.sync(() => feed.finish(end))),
          // Whoever comes after the last word has another try.
          Effect.andThen(RcMap.invalidate(feeds, key))
        )
      )
      return feed
    })
  })

  const streamsOf = Effect.fnUntraced(function* ({ kind, symbol }: FeedTarget, vendor: string) {
    const of = (one: StreamQuery["kind"]): StreamQuery => ({ symbol, kind: one })
    if (kind !== "portfolio") return [of(kind)]
    const { stream } = yield* registry.streamer(vendor)
    return stream.kinds.includes("pnl") ? [of("portfolio"), of("pnl")] : [of("portfolio")]
  })

  const serve = (feed: Feed, { conflate, kind, symbol, vendor }: FeedKey): Found["serve"] => {
    const greeting = JSON.stringify({
      type: "subscribed",
      kind,
      symbol,
      vendor,
      conflate,
      max_queue_size: limits.maxQueueSize,
      max_messages_per_second: limits.maxMessagesPerSecond,
      heartbeat_seconds: limits.heartbeatInterval / 1_000
    })
    return (socket, duplex) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const closed = Latch.makeUnsafe(false)
          const wire = FeedSocket.make(socket, duplex, {
            onRoom: () => client.hasRoom(),
            onMessage: () => client.end(notExpected),
            onClose: () => closed.openUnsafe()
          })
          const client = new FeedClient(wire, limits, conflate, tally, pace)
          open.set(client, wire)
          tally.clients[kind]++
          return { client, closed }
        }),
        ({ client, closed }) =>
          Effect.andThen(
            Effect.sync(() => feed.join(client, greeting, clock.currentTimeMillisUnsafe(), pace.now())),
            closed.await
          ),
        ({ client }) =>
          Effect.sync(() => {
            feed.leave(client)
            client.end(shuttingDown)
            open.delete(client)
            tally.clients[kind]--
          })
      )
  }

  const found = Effect.fnUntraced(function* (target: FeedTarget) {
    const vendor = target.vendor ?? (yield* vendorFor(registry, streaming(target.kind)))
    const wanted = yield* streamsOf(target, vendor)
    const keys = yield* streams.keys({ vendor, streams: wanted })
    const key: FeedKey = {
      kind: target.kind,
      vendor,
      symbol: keys[0]?.symbol ?? target.symbol,
      conflate: target.conflate,
      streams: keys.map(({ kind, params, symbol }) => ({ symbol, kind, params }))
    }
    return { serve: serve(yield* RcMap.get(feeds, key), key) } satisfies Found
  })

  const feedsHere: Feeds = {
    find: (target) => Effect.mapError(found(target), (error) => ("_tag" in error ? feedProblem(error) : error))
  }
  return feedsHere
})
