import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import { isRows } from "../../../src/domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../../src/domain/streams/StreamKey.ts"
import * as MarketStreamsLive from "../../../src/layers/streams/MarketStreamsLive.ts"
import { type Adapter, Unavailable, VendorError } from "../../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { MarketStreams } from "../../../src/services/MarketStreams.ts"
import type { StreamSink } from "../../../src/services/StreamCapability.ts"
import { settled } from "../stitching/support.ts"
import {
  atStart,
  bars,
  began,
  eventsOf,
  isTrue,
  over,
  pass,
  quotes,
  record,
  rowsOf,
  second,
  tags,
  trades,
  vendorOf
} from "./support.ts"

const reasonOf = <A, E extends { readonly reason: unknown }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("fan-out", () => {
  it.effect("one upstream a key, however many want it, and each gets every row", () => {
    const vendor = vendorOf({ rate: 20 })
    return Effect.gen(function* () {
      yield* atStart
      const tapes = yield* Effect.forEach(Array.from({ length: 20 }), () => record([trades()]))
      yield* pass(10 * second)
      assert.strictEqual(vendor.stream?.opened(), 1)
      for (const tape of tapes) assert.isAbove(isTrue(vendor, tape), 150)
      const market = yield* MarketStreams
      const [state] = yield* market.states
      assert.deepInclude(state, { state: "live", consumers: 20, opened: 1, gaps: 0 })
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("the upstream outlives the last consumer by two seconds: who comes in time gets the same one", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      yield* atStart
      yield* Effect.scoped(record([trades()]))
      yield* pass(1_900, 100)
      assert.strictEqual(vendor.stream?.running(), 1)
      yield* Effect.scoped(record([trades()]))
      assert.strictEqual(vendor.stream?.opened(), 1)
      yield* pass(1_900, 100)
      assert.strictEqual(vendor.stream?.running(), 1)
      yield* pass(200, 100)
      assert.strictEqual(vendor.stream?.running(), 0)
      const market = yield* MarketStreams
      assert.deepStrictEqual(yield* market.states, [])
      const again = yield* record([trades()])
      yield* pass(5 * second)
      assert.strictEqual(vendor.stream?.opened(), 2)
      assert.isAbove(isTrue(vendor, again), 0)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("who joins late is first told how things stand", () => {
    const vendor = vendorOf({ rate: 10 })
    return Effect.gen(function* () {
      yield* atStart
      yield* record([quotes()])
      yield* pass(5 * second)
      const late = yield* record([quotes()])
      assert.deepStrictEqual(tags(late), ["Started", "DataType", "Quotes"])
      const [, , first] = eventsOf(late)
      assert.isTrue(first !== undefined && isRows(first) && first.snapshot && first.rows.length === 1)
      yield* pass(5 * second)
      assert.isAbove(rowsOf(late).length, 10)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("late joiners of a tape get every row after the instant that they are promised", () => {
    const vendor = vendorOf({ rate: 30, numbered: false, resolution: 100 })
    return Effect.gen(function* () {
      yield* atStart
      const tapes = [yield* record([trades()])]
      for (let joins = 0; joins < 10; joins++) {
        yield* pass(330, 33)
        tapes.push(yield* record([trades()]))
      }
      yield* pass(5 * second)
      for (const tape of tapes) assert.isAbove(isTrue(vendor, tape), 50)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("latest: who was away gets the newest row of each stream, and the others not", () => {
    const vendor = vendorOf({ rate: 50 })
    return Effect.gen(function* () {
      yield* atStart
      const market = yield* MarketStreams
      const subscription = yield* market.subscribe({ vendor: "model", streams: [quotes("ALPHA"), quotes("BETA")] })
      yield* pass(20 * second)
      const items = yield* subscription.take
      const rows = items.flatMap(({ event, stream }) =>
        isRows(event) ? event.rows.map((row) => ({ row, stream })) : []
      )
      assert.deepStrictEqual(rows.map(({ stream }) => stream).sort(), [0, 1])
      for (const { row, stream } of rows) {
        const key = subscription.keys[stream]
        const truth =
          key === undefined ? [] : (vendor.stream?.truth(key, { start: began, end: began + 20 * second }) ?? [])
        assert.deepStrictEqual(row, truth.at(-1))
      }
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect(
    "lossless: a consumer that does not take its rows is ended with SlowConsumer, after those that waited; nobody else is",
    () => {
      const vendor = vendorOf({ rate: 20 })
      return Effect.gen(function* () {
        yield* atStart
        const market = yield* MarketStreams
        const slow = yield* market.subscribe(
          { vendor: "model", streams: [trades()] },
          { policy: { _tag: "lossless", rows: 30 } }
        )
        const tape = yield* record([trades()])
        yield* pass(10 * second)
        const given = yield* slow.take
        const rows = given.reduce((sum, { event }) => sum + (isRows(event) ? event.rows.length : 0), 0)
        assert.isTrue(rows > 0 && rows <= 30)
        const reason = yield* reasonOf(slow.take)
        assert.deepInclude(reason, { _tag: "SlowConsumer", rows, stream: 0 })
        assert.isAbove(isTrue(vendor, tape), 150)
        const [state] = yield* market.states
        assert.strictEqual(state?.consumers, 1)
      }).pipe(Effect.provide(over(vendor)))
    }
  )

  it.effect("sliding: the oldest rows go, and the next ones say how many", () => {
    const vendor = vendorOf({ rate: 20 })
    return Effect.gen(function* () {
      yield* atStart
      const market = yield* MarketStreams
      const sliding = yield* market.subscribe(
        { vendor: "model", streams: [trades()] },
        { policy: { _tag: "sliding", rows: 30 } }
      )
      yield* pass(10 * second)
      const items = yield* sliding.take
      const key = sliding.keys[0]
      const truth =
        key === undefined ? [] : (vendor.stream?.truth(key, { start: began, end: began + 10 * second }) ?? [])
      const rows = items.flatMap(({ event }) => (isRows(event) ? [...event.rows] : []))
      const dropped = items.reduce((sum, { event }) => sum + (isRows(event) ? event.dropped : 0), 0)
      assert.deepStrictEqual(rows, truth.slice(-30))
      assert.strictEqual(dropped, truth.length - 30)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("streams of several kinds in one subscription, each told apart", () => {
    const vendor = vendorOf({ rate: 5 })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades("ALPHA"), bars("BETA"), trades("GAMMA")])
      yield* pass(30 * second)
      for (const stream of [0, 1, 2]) assert.isAbove(isTrue(vendor, tape, stream), 4)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("what a vendor refuses for good is told, and the next who asks has another try", () => {
    const vendor = vendorOf({}, { forbidden: ["SECRET"] })
    return Effect.gen(function* () {
      yield* atStart
      const refused = yield* record([quotes("SECRET"), quotes("ALPHA")])
      yield* pass(3 * second)
      const closed = eventsOf(refused, 0).find(({ _tag }) => _tag === "Closed")
      assert.deepInclude(closed, { _tag: "Closed", retryable: false, cause: "your account may not have SECRET" })
      assert.isFalse(refused.ended)
      const again = yield* record([quotes("SECRET")])
      yield* pass(second)
      assert.isTrue(again.ended)
      assert.strictEqual(vendor.stream?.opened(), 3)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("what cannot be asked for is refused with what can", () => {
    const vendor = vendorOf({ kinds: ["quotes", "trades", "depth", "bars"] })
    return Effect.gen(function* () {
      const market = yield* MarketStreams
      const ask = (streams: Parameters<typeof market.subscribe>[0]["streams"], name = "model") =>
        Effect.scoped(reasonOf(market.subscribe({ vendor: name, streams })))
      assert.deepInclude(yield* ask([{ symbol: "ALPHA", kind: "news" }]), {
        _tag: "KindNotStreamed",
        kinds: ["quotes", "trades", "depth", "bars"]
      })
      assert.deepInclude(yield* ask([quotes("NONE")]), { _tag: "VendorError" })
      assert.deepInclude(yield* ask([quotes()], "nobody"), { _tag: "AdapterRegistryError" })
      assert.deepInclude(yield* ask([]), { _tag: "TooManyStreams" })
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("a vendor that is unregistered ends its streams, and says that they may be had again", () => {
    const vendor = vendorOf({ faults: [{ kind: "disconnect", start: began + 5 * second, end: began + 6 * second }] })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(2 * second)
      const registry = yield* AdapterRegistry
      yield* registry.unregister("model")
      yield* pass(20 * second)
      assert.deepInclude(eventsOf(tape).at(-1), { _tag: "Closed", retryable: true })
      assert.isTrue(tape.ended)
      isTrue(vendor, tape)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("a stream that ends while nobody wants it any more is gone, and can be had again", () => {
    const vendor = vendorOf({ faults: [{ kind: "disconnect", start: began + second, end: began + 2 * second }] })
    return Effect.gen(function* () {
      yield* atStart
      const market = yield* MarketStreams
      yield* Effect.scoped(Effect.andThen(record([trades()]), pass(500)))
      const registry = yield* AdapterRegistry
      yield* registry.unregister("model")
      yield* pass(1_400, 100)
      assert.deepStrictEqual(yield* market.states, [])
      yield* registry.register(Effect.succeed(vendor.adapter))
      const again = yield* record([trades()])
      yield* pass(5 * second)
      assert.isAbove(isTrue(vendor, again), 0)
    }).pipe(Effect.provide(over(vendor, { reopenLeast: 100 })))
  })

  it.effect("rows that are none end their own stream alone, and another subscription begins anew", () => {
    const vendor = vendorOf({ rate: 5 })
    const { stream } = vendor.adapter
    let good = false
    const broken = {
      ...vendor.adapter,
      ...(stream === undefined
        ? {}
        : {
            stream: {
              ...stream,
              open: (key: StreamKey, sink: StreamSink) =>
                key.symbol === "BETA" && !good ? Effect.sync(() => sink.row({} as Trade)) : stream.open(key, sink)
            }
          })
    }
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades("ALPHA"), trades("BETA")])
      yield* pass(5 * second)
      assert.isAbove(isTrue(vendor, tape, 0), 10)
      assert.deepInclude(eventsOf(tape, 1).at(-1), { _tag: "Closed", retryable: true })
      good = true
      const again = yield* record([trades("BETA")])
      yield* pass(5 * second)
      assert.isAbove(isTrue(vendor, again), 10)
    }).pipe(Effect.provide(over({ ...vendor, adapter: broken })))
  })

  it.effect("when the layer ends, those who wait are told, and nothing of the vendor's stays open", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      yield* atStart
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(MarketStreamsLive.layer(), scope)
      const tape = yield* Effect.provide(record([trades()]), services)
      const stream = Effect.gen(function* () {
        const market = yield* MarketStreams
        return yield* Stream.runCollect(market.items({ vendor: "model", streams: [quotes()] }))
      }).pipe(Effect.provide(services))
      const streaming = yield* Effect.forkChild(stream)
      yield* pass(3 * second)
      assert.strictEqual(vendor.stream?.running(), 2)
      yield* Scope.close(scope, Exit.void)
      yield* settled
      assert.isTrue(tape.ended)
      assert.strictEqual((yield* Fiber.join(streaming)).at(-1)?.event._tag, "Closed")
      assert.strictEqual(vendor.stream?.running(), 0)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("when the layer ends while a stream is being closed, it waits for that", () => {
    const vendor = vendorOf()
    let given = 0
    return Effect.gen(function* () {
      yield* atStart
      const { stream } = vendor.adapter
      assert.isDefined(stream)
      if (stream === undefined) return
      const registry = yield* AdapterRegistry
      const slow: Adapter = {
        ...vendor.adapter,
        name: "slow",
        stream: {
          ...stream,
          key: (query) => Effect.map(stream.key(query), (key) => ({ ...key, vendor: "slow" })),
          open: () =>
            Effect.addFinalizer(() =>
              Effect.andThen(
                Effect.sleep("5 seconds"),
                Effect.sync(() => {
                  given++
                })
              )
            )
        }
      }
      yield* registry.register(Effect.succeed(slow))
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(MarketStreamsLive.layer(), scope)
      yield* Effect.scoped(Effect.provide(record([trades()], undefined, "slow"), services))
      yield* pass(3 * second)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* pass(3 * second)
      assert.deepStrictEqual([given, closing.pollUnsafe()], [0, undefined])
      yield* pass(3 * second)
      assert.strictEqual(given, 1)
      assert.isDefined(closing.pollUnsafe())
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("an adapter that is interrupted while it opens a stream has failed, and is asked again", () => {
    const vendor = vendorOf()
    const { stream } = vendor.adapter
    assert.isDefined(stream)
    let attempts = 0
    const interrupted: typeof vendor = {
      ...vendor,
      adapter: {
        ...vendor.adapter,
        stream: {
          ...stream,
          open: (key, sink) => Effect.suspend(() => (attempts++ === 0 ? Effect.interrupt : stream.open(key, sink)))
        }
      }
    }
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(10 * second)
      assert.strictEqual(attempts, 2)
      assert.deepStrictEqual(tags(tape).slice(0, 2), ["Gap", "Started"])
      assert.isAbove(isTrue(vendor, tape), 0)
    }).pipe(Effect.provide(over(interrupted)))
  })

  it.effect("a stream whose opening fails for good here ends aloud, and the next who asks has another try", () => {
    const vendor = vendorOf()
    let opened = 0
    return Effect.gen(function* () {
      yield* atStart
      const { stream } = vendor.adapter
      assert.isDefined(stream)
      if (stream === undefined) return
      const registry = yield* AdapterRegistry
      const odd: Adapter = {
        ...vendor.adapter,
        name: "odd",
        stream: {
          ...stream,
          key: (query) => Effect.map(stream.key(query), (key) => ({ ...key, vendor: "odd" })),
          open: () => {
            opened++
            return Effect.fail(new VendorError({ vendor: "odd", reason: new Unavailable({ message: "away" }) }))
          },
          reopen: Effect.die("nobody thought of this")
        }
      }
      yield* registry.register(Effect.succeed(odd))
      const first = yield* record([trades()], undefined, "odd")
      yield* pass(5 * second)
      assert.deepStrictEqual(tags(first).at(-1), "Closed")
      assert.strictEqual(opened, 1)
      yield* record([trades()], undefined, "odd")
      assert.strictEqual(opened, 2)
    }).pipe(Effect.provide(over(vendor)))
  })
})
