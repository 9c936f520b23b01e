/** What becomes of clients of feeds that are slow, silent, too many for their rate, or want what there is not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { StreamSink } from "../../../../src/services/StreamCapability.ts"
import { settled } from "../../../layers/stitching/support.ts"
import { began } from "../../../layers/streams/support.ts"
import { ask, head, raw, serve, turn, upgrade } from "../support.ts"
import { listen, modelServer, pushEach, pushing, pushServer, type Said, ticker } from "./support.ts"

const count = (message: Said, field: string) => Number(message[field] ?? 0)
const droppedOf = (messages: ReadonlyArray<Said>) =>
  messages.reduce((sum, message) => sum + count(message, "dropped"), 0)
const bids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => ticker(from + at))

const metric = Effect.fnUntraced(function* (port: number, name: string) {
  const { text } = yield* ask(port, { path: "/metrics" })
  const line = text.split("\n").find((one) => one.startsWith(`${name} `))
  return line === undefined ? null : Number(line.slice(name.length + 1))
})

/** A stream that has begun. */
const begun = Effect.fnUntraced(function* (vendor: ReturnType<typeof pushing>, symbol = "SPY") {
  const sink = yield* vendor.sink("quotes", symbol)
  sink.event({ _tag: "Started", at: began })
  yield* settled
  return sink
})

describe("the rate of a client", () => {
  it.effect("is kept: what is newer takes the place of what waits, and each message says how many it stands for", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor, { maxMessagesPerSecond: 10 })
      const client = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* begun(vendor)
      for (let second = 0; second < 5; second++) {
        for (let step = 0; step < 20; step++) {
          yield* pushEach(sink, [ticker(second * 20 + step + 1)])
          yield* TestClock.adjust(50)
        }
      }
      yield* TestClock.adjust(200)
      yield* client.until(({ bid }) => bid === 100)
      const quotes = client.of("quote")
      assert.isAtMost(quotes.length, 52, "ten a second, and the first at once")
      assert.isAtLeast(quotes.length, 45)
      assert.strictEqual(quotes.length + droppedOf(quotes), 100, "none is left out in silence")
      const dropped = yield* metric(port, 'websocket_dropped_messages_total{reason="conflated"}')
      assert.strictEqual(dropped, droppedOf(quotes))
    })
  )

  it.effect("does not hold up words, and what waits before a word goes before it", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor, { maxMessagesPerSecond: 1 })
      const client = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* begun(vendor)
      yield* pushEach(sink, bids(1, 5))
      sink.event({ _tag: "Gap", from: began, reason: "lost" })
      yield* client.until(({ type }) => type === "gap")
      assert.deepStrictEqual(
        client.messages.slice(2).map(({ bid, type }) => bid ?? type),
        [1, 5, "gap"]
      )
      assert.strictEqual(client.of("quote")[1]?.dropped, 3)
    })
  )
})

describe("a client that does not read", () => {
  /** Sends until the client's socket takes no more, which is when rows of it are dropped. */
  const flood = Effect.fnUntraced(function* (port: number, sink: StreamSink, reason: string) {
    const name = `websocket_dropped_messages_total{reason="${reason}"}`
    const before = (yield* metric(port, name)) ?? 0
    let bid = 0
    while (((yield* metric(port, name)) ?? 0) < before + 200) {
      for (let at = 0; at < 2_000; at++) {
        sink.row(ticker(++bid))
        yield* turn
      }
    }
    return bid
  })

  it.live("holds up nobody else, and is told what it missed when it reads again", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor, { maxMessagesPerSecond: 1_000_000 })
      const slow = yield* listen(port, "/ws/quotes/SPY")
      const fast = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* begun(vendor)
      slow.socket.pause()
      const last = yield* flood(port, sink, "conflated")
      yield* fast.until(({ bid }) => bid === last)
      assert.strictEqual(droppedOf(fast.messages), 0)
      assert.isFalse(slow.messages.some(({ bid }) => bid === last))
      slow.socket.resume()
      yield* slow.until(({ bid }) => bid === last)
      assert.isAbove(droppedOf(slow.messages), 100)
      assert.strictEqual(
        slow.of("quote").length + droppedOf(slow.messages),
        fast.of("quote").length + droppedOf(fast.messages)
      )
    }).pipe(Effect.provide(TestClock.layer()))
  )

  it.live("and wants each row keeps as many as may wait, the newest", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor, { maxMessagesPerSecond: 1_000_000, maxQueueSize: 7 })
      const slow = yield* listen(port, "/ws/quotes/SPY?conflate=false")
      const sink = yield* begun(vendor)
      slow.socket.pause()
      const last = yield* flood(port, sink, "queue_full")
      slow.socket.resume()
      yield* slow.until(({ bid }) => bid === last)
      const quotes = slow.of("quote")
      assert.deepStrictEqual(
        quotes.slice(-7).map(({ bid }) => bid),
        [6, 5, 4, 3, 2, 1, 0].map((back) => last - back)
      )
      assert.isAbove(count(quotes.at(-7) ?? {}, "dropped"), 100)
      assert.strictEqual(quotes.length + droppedOf(quotes), last)
    }).pipe(Effect.provide(TestClock.layer()))
  )
})

describe("a client that wants each row", () => {
  it.effect("is given each, also those of one turn, while one that wants what holds is given the newest", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor)
      const every = yield* listen(port, "/ws/quotes/SPY?conflate=false")
      const holds = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* begun(vendor)
      sink.rows(bids(1, 50))
      yield* every.until(({ bid }) => bid === 50)
      yield* holds.until(({ bid }) => bid === 50)
      assert.deepStrictEqual(
        every.of("quote").map(({ bid }) => bid),
        bids(1, 50).map(({ bid }) => bid)
      )
      assert.strictEqual(holds.of("quote").length, 1)
      assert.strictEqual(vendor.opened(), 1)
    })
  )
})

describe("the heartbeat", () => {
  it.effect("is answered by who is there; who answers none is cut off, and counted no more", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor)
      const name = 'websocket_clients_total{stream_type="quotes"}'
      const there = yield* listen(port, "/ws/quotes/SPY")
      const gone = yield* listen(port, "/ws/quotes/SPY", { autoPong: false })
      assert.strictEqual(yield* metric(port, name), 2)
      yield* TestClock.adjust("30 seconds")
      yield* gone.until(({ type }) => type === "heartbeat")
      yield* there.until(({ type }) => type === "heartbeat")
      // Behind its pong, so that this has been heard by then.
      yield* Effect.callback<void>((resume) => {
        there.socket.once("pong", () => resume(Effect.void))
        there.socket.ping()
      })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* gone.closed).code, 1006)
      yield* there.until(({ sent, type }) => type === "heartbeat" && sent === 2)
      assert.deepInclude(there.of("heartbeat")[1], { dropped_total: 0 })
      while ((yield* metric(port, name)) !== 1) yield* turn
    })
  )
})

describe("what a client sends", () => {
  it.effect("is nothing: it is told so, and the connection is closed", () =>
    Effect.gen(function* () {
      const { port } = yield* pushServer(pushing(["quotes"]))
      const client = yield* listen(port, "/ws/quotes/SPY")
      client.socket.send('{"subscribe":"QQQ"}')
      assert.strictEqual((yield* client.closed).code, 1003)
      assert.deepInclude(client.messages.at(-1), { type: "error", error: "NotExpected", retryable: false })
      const long = yield* listen(port, "/ws/quotes/SPY")
      long.socket.send("x".repeat(5_000))
      assert.strictEqual((yield* long.closed).code, 1009)
    })
  )
})

describe("a feed that there is not", () => {
  const refused = Effect.fnUntraced(function* (
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {}
  ) {
    const answer = yield* raw(port, head(`GET ${path}`, { ...upgrade, ...headers }))
    const [first = "", body = ""] = answer.split("\r\n\r\n")
    const problem: Said = JSON.parse(body)
    return { status: Number(first.split(" ")[1]), type: /content-type: (\S+)/.exec(first)?.[1], problem }
  })

  it.effect("is refused before the upgrade, with a reason", () =>
    Effect.gen(function* () {
      const { port } = yield* modelServer({})
      for (const [path, status, error, words] of [
        ["/ws/quotes/NOBODY", 404, "MarketStreamsError/VendorError/NotFound", /no symbol NOBODY/],
        [
          "/ws/quotes/ALPHA?vendor=nobody",
          404,
          "MarketStreamsError/AdapterRegistryError/UnknownVendor",
          /known: model/
        ],
        ["/ws/portfolio/DU1", 404, "MarketStreamsError/VendorError/NotFound", /DU1/],
        ["/ws/quotes/%E0%A4%A", 400, "BadRequest", /percent-encoded/],
        [`/ws/quotes/${"x".repeat(65)}`, 400, "BadRequest", /64/],
        ["/ws/quotes/ALPHA?vendr=model", 400, "BadRequest", /vendr.*vendor=NAME/],
        ["/ws/quotes/ALPHA?conflate=perhaps", 400, "BadRequest", /conflate=true or false/],
        ["/ws/quotes/ALPHA?vendor=model&vendor=model", 400, "BadRequest", /once/]
      ] as const) {
        const answer = yield* refused(port, path)
        assert.deepStrictEqual(
          { status: answer.status, type: answer.type, error: answer.problem.error, inside: answer.problem.status },
          { status, type: "application/problem+json", error, inside: status },
          path
        )
        assert.match(String(answer.problem.detail), words)
      }
      const tenant = yield* refused(port, "/ws/quotes/ALPHA", { "tapestry-tenant": "No Name" })
      assert.deepInclude(tenant, { status: 400 })
      assert.deepInclude(yield* refused(port, "/ws/quotes/ALPHA", { "tapestry-tenant": "other" }), { status: 404 })
    })
  )

  it.effect("because nobody streams it says who streams what", () =>
    Effect.gen(function* () {
      const { port } = yield* pushServer(pushing(["quotes"]))
      const nobody = yield* refused(port, "/ws/portfolio/DU1")
      assert.deepInclude(nobody, { status: 404 })
      assert.match(String(nobody.problem.detail), /no vendor .* streams portfolio/)
      const named = yield* refused(port, "/ws/portfolio/DU1?vendor=desk")
      assert.deepInclude(named, { status: 422 })
      assert.match(String(named.problem.detail), /desk does not stream portfolio; it streams: quotes/)
    })
  )

  it.effect("of several vendors that could be meant says which there are", () =>
    Effect.gen(function* () {
      const { port } = yield* pushServer(pushing(["quotes"]), {}, [pushing(["quotes"], "other").adapter])
      const answer = yield* refused(port, "/ws/quotes/ALPHA")
      assert.deepInclude(answer, { status: 400 })
      assert.match(String(answer.problem.detail), /desk, other.*\?vendor=/)
    })
  )

  it.effect("is under the rules of every request: hosts, origins, methods, draining", () =>
    Effect.gen(function* () {
      const { host, port } = yield* modelServer({})
      const path = "GET /ws/quotes/ALPHA"
      assert.match(yield* raw(port, head(path, { ...upgrade, host: "evil.example" })), /^HTTP\/1.1 403 /)
      assert.match(yield* raw(port, head(path, { ...upgrade, origin: "https://evil.example" })), /^HTTP\/1.1 403 /)
      assert.match(yield* raw(port, head("POST /ws/quotes/ALPHA", upgrade)), /^HTTP\/1.1 400 /)
      assert.match(yield* raw(port, head("GET /ws/quotes", upgrade)), /^HTTP\/1.1 404 /)
      assert.match(yield* raw(port, head("GET /ws/trades/ALPHA", upgrade)), /^HTTP\/1.1 404 /)
      const plain = yield* ask(port, { path: "/ws/quotes/ALPHA" })
      assert.strictEqual(plain.status, 426)
      assert.strictEqual(plain.headers["content-type"], "application/problem+json")
      assert.strictEqual((yield* ask(port, { path: "/ws/quotes/ALPHA", method: "POST" })).status, 405)
      yield* host.drain
      assert.match(yield* raw(port, head(path, upgrade)), /^HTTP\/1.1 503 .*ShuttingDown/s)
    })
  )

  it.effect("costs a server that is never asked for one nothing but three lines of metrics", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      assert.strictEqual(yield* metric(port, 'websocket_clients_total{stream_type="depth"}'), 0)
      assert.strictEqual(yield* metric(port, "websocket_messages_sent_total"), 0)
      assert.strictEqual(yield* metric(port, 'websocket_dropped_messages_total{reason="conflated"}'), 0)
    })
  )
})
