/** Orders at the simulated gateway, through the archive: what is sent once, what is told of it, and what is kept. */
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Layer, References, Result, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { NewOrder } from "../../../src/domain/Order.ts"
import { TenantName } from "../../../src/domain/Tenant.ts"
import { resolveVendor } from "../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import { defaults } from "../../../src/layers/config/TapestryConfig.ts"
import { sqliteUpkeep } from "../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import * as GatewaySimulator from "../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { IngestSession } from "../../../src/services/IngestSession.ts"
import { OpenTenants } from "../../../src/services/OpenTenants.ts"
import { Orders } from "../../../src/services/Orders.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { type Script, scripted } from "../adapters/ibkr/scriptedGateway.ts"
import { eventually, turns } from "../adapters/ibkr/session.ts"

const apple: NewOrder = {
  symbol: "AAPL",
  currency: null,
  side: "buy",
  quantity: 100,
  limit: 1.25,
  timeInForce: "gtc",
  account: null
}
const atMarket: NewOrder = { ...apple, limit: null, timeInForce: "day" }

type Services = Orders | ProvenanceStore | IngestSession | OpenTenants

/** Another tenant of the deployment than the one that the process was started for. */
const desk = TenantName.make("desk")

/** All services over a data directory of its own, with one gateway. */
const over = <A, E>(
  port: number,
  body: Effect.Effect<A, E, Services | Scope.Scope>,
  spec: { readonly allowOrders?: boolean } = {}
) =>
  Effect.gen(function* () {
    const dataDir = yield* Effect.flatMap(FileSystem.FileSystem, (fs) =>
      fs.makeTempDirectoryScoped({ prefix: "tapestry-orders-" })
    )
    const vendor = Result.getOrThrow(
      resolveVendor("ibkr", { port, allowOrders: true, resets: "none", ...spec }, 1 << 26)
    )
    const config = { ...defaults, dataDir, sample: false, vendors: [vendor] }
    const added = Layer.effectDiscard(
      sqliteUpkeep(join(dataDir, "market.sqlite"), false).pipe(
        Effect.flatMap(({ tenants }) => tenants.add(desk)),
        Effect.scoped,
        Effect.orDie
      )
    )
    return yield* Effect.provide(body, Layer.provideMerge(added, Tapestry.layer({ dataDir, config })))
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.fresh(NodeServices.layer)),
    Effect.provideService(References.MinimumLogLevel, "Fatal")
  )

const simulated = <A, E>(
  body: (gateway: GatewaySimulator.GatewaySimulator) => Effect.Effect<A, E, Services | Scope.Scope>
) =>
  Effect.gen(function* () {
    const gateway = yield* GatewaySimulator.make()
    yield* TestClock.setTime(gateway.now())
    return yield* over(gateway.port, body(gateway))
  })

/** How often the archive was asked to record such a call, and how each ended; newest first. */
const recorded = (kind: string) =>
  Effect.map(
    ProvenanceStore.use((store) => store.requests({ limit: 100 })),
    (requests) => requests.filter((request) => request.kind === kind)
  )

/** Answers as a gateway does that has taken a connection: the time, and whatever the test says to other messages. */
const answering =
  (onMessage: NonNullable<Script["onMessage"]>): NonNullable<Script["onMessage"]> =>
  (fields, talk) =>
    fields[0] === "49" ? talk.send(49, 1, 1_775_829_600) : onMessage(fields, talk)

const place = (key: string, order: NewOrder = apple) => Orders.use((orders) => orders.place("ibkr", key, order))
/** The pace of the connection is the test's clock's, too: half a second is as many messages as a burst. */
const list = Effect.andThen(
  TestClock.adjust("500 millis"),
  Orders.use((orders) => orders.list("ibkr"))
)
/** Those at work. */
const open = Effect.map(list, (orders) => orders.filter(({ order }) => order !== null))

describe("an order", () => {
  it.effect("at market: what is acknowledged, and both sides of the exchange in the archive", () =>
    simulated((gateway) =>
      Effect.gen(function* () {
        const { request, response, state } = yield* place("desk-1", atMarket)
        const ask = gateway.truth("AAPL", gateway.now() - 60_000, gateway.now() + 1).quotes.at(-1)?.ask
        assert.deepStrictEqual(state, {
          order: 1,
          client: 7,
          key: "desk-1",
          account: "DU1234567",
          symbol: "AAPL",
          side: "buy",
          quantity: 100,
          limit: null,
          status: "Filled",
          filled: 100,
          remaining: 0,
          averagePrice: ask ?? null,
          notes: []
        })
        const store = yield* ProvenanceStore
        const archived = yield* store.request(request)
        assert.deepStrictEqual(
          [archived.kind, archived.method, archived.outcome, archived.response],
          ["order", "SEND", "fetched", response]
        )
        assert.deepStrictEqual(archived.params, {
          order: 1,
          client: 7,
          connection: 1,
          reference: "desk-1",
          terms: { ...atMarket },
          contract: { symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" }
        })
        const answer = yield* store.response(response)
        const bytes = Buffer.from(yield* store.payload(answer.sha256 ?? "")).toString("latin1")
        assert.include(bytes, "5\x001\x00265598\0AAPL\0")
        assert.include(bytes, "3\x001\0Filled\x00100\x000\0")
        const [claim] = yield* recorded("key")
        assert.deepStrictEqual(
          [claim?.outcome, claim?.response, claim?.params],
          ["shared", response, { reference: "desk-1" }]
        )
      })
    )
  )

  it.effect("with a limit stays open until it is cancelled, and is listed with its key", () =>
    simulated(() =>
      Effect.gen(function* () {
        const { state } = yield* place("desk-1")
        assert.strictEqual(state.status, "Submitted")
        assert.deepStrictEqual(yield* open, [state])
        const orders = yield* Orders
        const cancelled = yield* orders.cancel("ibkr", state.order ?? 0, state.client)
        assert.strictEqual(cancelled.state.status, "Cancelled")
        assert.deepStrictEqual(yield* open, [])
        const again = yield* Effect.flip(orders.cancel("ibkr", state.order ?? 0, state.client))
        assert.match(again.message, /not in a cancellable state.*\(IB's code 161\)/)
        const unknown = yield* Effect.flip(orders.cancel("ibkr", 4711, null))
        assert.match(unknown.message, /\(IB's code 10147\)/)
        const another = yield* Effect.flip(orders.cancel("ibkr", state.order ?? 0, 12))
        assert.match(another.message, /order 1 of client 12 can be cancelled by that client alone/)
        // Each was asked, and none answered from the archive.
        assert.strictEqual((yield* recorded("cancel-order")).length, 3)
        assert.strictEqual((yield* recorded("open-orders")).length, 2)
        // What is over has no number any more, and its key.
        assert.deepStrictEqual(yield* list, [
          { ...state, order: null, client: null, status: "Cancelled by Trader", averagePrice: null }
        ])
      })
    )
  )

  it.effect("under a key that was used is not sent, whatever it is", () =>
    simulated(() =>
      Effect.gen(function* () {
        const { response } = yield* place("desk-1")
        for (const order of [apple, atMarket, { ...apple, quantity: 7 }]) {
          const error = yield* Effect.flip(place("desk-1", order))
          assert.strictEqual(error.reason._tag, "AlreadySent")
          if (error.reason._tag === "AlreadySent") assert.strictEqual(error.reason.response, response)
        }
        assert.strictEqual((yield* open).length, 1)
        assert.strictEqual((yield* recorded("order")).length, 1)
        yield* place("desk-2")
        assert.deepStrictEqual(
          (yield* open).map(({ key, order }) => [order, key]),
          [
            [1, "desk-1"],
            [2, "desk-2"]
          ]
        )
      })
    )
  )

  it.effect("of fifty callers with one key one is sent", () =>
    simulated(() =>
      Effect.gen(function* () {
        const exits = yield* Effect.forEach(
          Array.from({ length: 50 }, () => place("desk-1")),
          Effect.result,
          { concurrency: "unbounded" }
        )
        assert.strictEqual(exits.filter(Result.isSuccess).length, 1)
        for (const exit of exits)
          if (Result.isFailure(exit)) assert.strictEqual(exit.failure.reason._tag, "AlreadySent")
        assert.strictEqual((yield* open).length, 1)
      })
    )
  )

  it.effect("under a key that another tenant has used is not sent, and of the other's archive nothing is told", () =>
    simulated(() =>
      Effect.gen(function* () {
        yield* place("desk-1")
        const theirs = yield* Effect.flatMap(OpenTenants, (tenants) => tenants.services(desk))
        const again = yield* Effect.flip(Effect.provideContext(place("desk-1"), theirs))
        assert.deepInclude(again.reason, { _tag: "AlreadySent", key: "desk-1", request: null, response: null })
        assert.deepStrictEqual(yield* Effect.provideContext(recorded("order"), theirs), [])
        yield* Effect.provideContext(place("desk-2"), theirs)
        assert.strictEqual((yield* Effect.flip(place("desk-2"))).reason._tag, "AlreadySent")
        assert.deepStrictEqual(
          (yield* open).map(({ key }) => key),
          ["desk-1", "desk-2"]
        )
      })
    )
  )

  it.effect("of callers of two tenants with one key one is sent", () =>
    simulated(() =>
      Effect.gen(function* () {
        const theirs = yield* Effect.flatMap(OpenTenants, (tenants) => tenants.services(desk))
        const exits = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, at) =>
            at % 2 === 0 ? place("desk-1") : Effect.provideContext(place("desk-1"), theirs)
          ),
          Effect.result,
          { concurrency: "unbounded" }
        )
        assert.strictEqual(exits.filter(Result.isSuccess).length, 1)
        for (const exit of exits)
          if (Result.isFailure(exit)) assert.strictEqual(exit.failure.reason._tag, "AlreadySent")
        assert.strictEqual((yield* open).length, 1)
        // The claim that came second is free again, and so is nothing: the first has the key.
        assert.strictEqual(
          (yield* Effect.flip(Effect.provideContext(place("desk-1"), theirs))).reason._tag,
          "AlreadySent"
        )
      })
    )
  )

  it.effect("that IB refuses: with its words, its bytes, and a key that stays used", () =>
    simulated(() =>
      Effect.gen(function* () {
        for (const [key, order, words] of [
          ["a", { ...apple, account: "DU9" }, /Invalid account DU9 \(IB's code 321\)/],
          ["b", { ...apple, symbol: "NOSUCHTHING" }, /\(IB's code 200\)/]
        ] as const) {
          const error = yield* Effect.flip(place(key, order))
          assert.strictEqual(error.reason._tag === "VendorError" && error.reason.reason._tag, "Rejected")
          assert.match(error.message, words)
          const [request] = yield* recorded("order")
          assert.strictEqual(request?.outcome, "failed")
          const { sizeBytes } = yield* ProvenanceStore.use((store) => store.response(request?.response ?? 0))
          assert.isAbove(sizeBytes, 60)
          assert.strictEqual((yield* Effect.flip(place(key))).reason._tag, "AlreadySent")
        }
        assert.deepStrictEqual(yield* open, [])
      })
    )
  )

  it.effect("that cannot be meant is refused before anything is recorded", () =>
    simulated(() =>
      Effect.gen(function* () {
        for (const [key, order, words] of [
          ["", apple, /the key of an order/],
          ["two words", apple, /the key of an order/],
          ["k".repeat(41), apple, /the key of an order/],
          ["k", { ...apple, symbol: "not a symbol!" }, /is no contract/],
          ["k", { ...apple, account: "DU1\0" }, /is no account/]
        ] as const) {
          assert.match((yield* Effect.flip(place(key, order))).message, words)
        }
        assert.deepStrictEqual(yield* recorded("order"), [])
        assert.deepStrictEqual(yield* recorded("key"), [])
      })
    )
  )
})

describe("an order of which the gateway says nothing", () => {
  for (const bytes of [0, 11, 200]) {
    it.effect(
      `the connection ends ${bytes} bytes into the acknowledgement: unknown, found by its key, and sent once`,
      () =>
        simulated((gateway) =>
          Effect.gen(function* () {
            yield* open
            yield* gateway.inject({ _tag: "CutFrame", bytes, how: bytes === 0 ? "rst" : "fin" })
            const error = yield* Effect.flip(place("desk-1"))
            assert.strictEqual(error.reason._tag === "VendorError" && error.reason.reason._tag, "OutcomeUnknown")
            assert.match(
              error.message,
              /order 1 of client 7 \(key desk-1\) was sent, and it is not known what came of it/
            )
            assert.match(error.message, /tapestry ibkr order list/)
            const [request] = yield* recorded("order")
            assert.strictEqual(request?.outcome, "failed")
            assert.isNotNull(request?.response)
            const again = yield* Effect.flip(place("desk-1"))
            assert.strictEqual(again.reason._tag, "AlreadySent")
            const listed = yield* Effect.forkChild(open, { startImmediately: true })
            yield* turns
            yield* TestClock.adjust("2 seconds")
            assert.deepStrictEqual(
              (yield* Fiber.join(listed)).map(({ key, order, status }) => [order, key, status]),
              [[1, "desk-1", "Submitted"]]
            )
          })
        )
    )
  }

  it.effect.each([176, 178, 183, 184, 193])(
    "that was filled meanwhile is found among those that are over, in version %s",
    (version) =>
      Effect.gen(function* () {
        const gateway = yield* GatewaySimulator.make({ version })
        yield* TestClock.setTime(gateway.now())
        yield* over(
          gateway.port,
          Effect.gen(function* () {
            yield* open
            yield* gateway.inject({ _tag: "CutFrame", bytes: 3, how: "rst" })
            const error = yield* Effect.flip(place("desk-1", atMarket))
            assert.strictEqual(error.reason._tag === "VendorError" && error.reason.reason._tag, "OutcomeUnknown")
            const listed = yield* Effect.forkChild(list, { startImmediately: true })
            yield* turns
            yield* TestClock.adjust("2 seconds")
            const [order, ...others] = yield* Fiber.join(listed)
            assert.deepStrictEqual(others, [])
            assert.deepStrictEqual(
              [order?.order, order?.key, order?.symbol, order?.side, order?.status, order?.filled, order?.remaining],
              [null, "desk-1", "AAPL", "buy", "Filled Size: 100", 100, 0]
            )
          })
        )
      })
  )

  it.effect("for ten seconds: unknown, and neither the caller's leaving nor a reconnect sends it again", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({ onMessage: answering(() => {}) })
      yield* over(
        gateway.port,
        Effect.gen(function* () {
          const orders = () => gateway.messages.filter(([id]) => id === "3")
          const placing = yield* Effect.forkChild(Effect.flip(place("desk-1")), { startImmediately: true })
          yield* eventually("the order is on the wire", () => orders().length === 1)
          const leaving = yield* Effect.forkChild(Fiber.interrupt(placing), { startImmediately: true })
          yield* turns
          assert.strictEqual((yield* recorded("order"))[0]?.outcome, null)
          yield* TestClock.adjust("10 seconds")
          yield* Fiber.join(leaving)
          const [request] = yield* recorded("order")
          assert.strictEqual(request?.outcome, "failed")
          assert.match(request?.cause ?? "", /the gateway said nothing of it within 10 s/)
          gateway.drop()
          yield* turns
          for (let second = 0; second < 20; second++) {
            yield* TestClock.adjust("1 second")
            yield* turns
          }
          yield* eventually("it is connected again", () => gateway.connections() > 1)
          assert.strictEqual((yield* Effect.flip(place("desk-1"))).reason._tag, "AlreadySent")
          assert.strictEqual(orders().length, 1)
          assert.include(orders()[0] ?? [], "desk-1")
        })
      )
    })
  )

  it.effect("but for what sounds like a refusal and may be none: a status decides", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: answering(([id, order = ""], talk) => {
          if (id !== "3") return
          talk.send(4, 2, order, 399, "Order Message: it will not be placed at the exchange until 09:30", "")
          talk.send(4, 2, order, 9999, "Something new", "")
          if (order === "1") talk.send(3, order, "PreSubmitted", 0, 100, 0, 5, 0, 0, 7, "", 0)
        })
      })
      yield* over(
        gateway.port,
        Effect.gen(function* () {
          const { state } = yield* place("desk-1")
          assert.strictEqual(state.status, "PreSubmitted")
          assert.deepStrictEqual(state.notes, [
            "Order Message: it will not be placed at the exchange until 09:30 (IB's code 399)",
            "Something new (IB's code 9999)"
          ])
          const placing = yield* Effect.forkChild(Effect.flip(place("desk-2")), { startImmediately: true })
          yield* eventually(
            "the order is on the wire",
            () => gateway.messages.filter(([id]) => id === "3").length === 2
          )
          yield* turns
          yield* TestClock.adjust("10 seconds")
          const error = yield* Fiber.join(placing)
          assert.strictEqual(error.reason._tag === "VendorError" && error.reason.reason._tag, "OutcomeUnknown")
          // What was said is kept.
          const [request] = yield* recorded("order")
          const answer = yield* ProvenanceStore.use((store) => store.response(request?.response ?? 0))
          const bytes = yield* ProvenanceStore.use((store) => store.payload(answer.sha256 ?? ""))
          assert.include(Buffer.from(bytes).toString("latin1"), "Something new")
        })
      )
    })
  )
})

describe("an order that was not sent", () => {
  it.effect("for want of a gateway: told so, and its key is free", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(Effect.map(scripted({}), (gateway) => gateway.port))
      yield* over(
        port,
        Effect.gen(function* () {
          const error = yield* Effect.flip(place("desk-1"))
          assert.strictEqual(error.reason._tag === "VendorError" && error.reason.reason._tag, "Unavailable")
          assert.deepStrictEqual(yield* recorded("key"), [])
          assert.strictEqual((yield* Effect.flip(place("desk-1"))).reason._tag, "VendorError")
        })
      )
    })
  )

  it.effect("because the connection of its number is gone: recorded, and its key is free", () =>
    simulated((gateway) =>
      Effect.gen(function* () {
        const ingest = yield* IngestSession
        yield* open
        const session = yield* ingest.open({ source: "ibkr", mode: "sync" })
        const error = yield* Effect.flip(
          session.send(
            (sender) =>
              Effect.tap(sender.place(apple, "desk-1"), () =>
                Effect.gen(function* () {
                  yield* gateway.inject({ _tag: "Drop", how: "rst" })
                  yield* turns
                  yield* TestClock.adjust("2 seconds")
                  yield* eventually("it is connected again", () =>
                    gateway.clients().some(({ phase }) => phase === "ready")
                  )
                  yield* turns
                })
              ),
            "desk-1"
          )
        )
        assert.match(error.message, /nothing was sent/)
        const [request] = yield* recorded("order")
        assert.deepStrictEqual([request?.outcome, request?.response], ["failed", null])
        assert.strictEqual((yield* place("desk-1")).state.status, "Submitted")
        assert.strictEqual((yield* open).length, 1)
      })
    )
  )

  it.effect("while the gateway has lost IB", () =>
    simulated((gateway) =>
      Effect.gen(function* () {
        yield* open
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 60_000, restored: 1102 })
        yield* turns
        const asked = yield* Effect.forkChild(Effect.flip(place("desk-1")), { startImmediately: true })
        yield* turns
        yield* TestClock.adjust("16 seconds")
        const error = yield* Fiber.join(asked)
        assert.strictEqual(error.reason._tag === "VendorError" && error.reason.reason._tag, "Unavailable")
        assert.deepStrictEqual(yield* recorded("order"), [])
      })
    )
  )

  it.effect("unless the vendor allows it", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      yield* over(
        gateway.port,
        Effect.gen(function* () {
          for (const call of [
            Effect.asVoid(place("desk-1")),
            Effect.asVoid(open),
            Effect.asVoid(Orders.use((orders) => orders.cancel("ibkr", 1, null)))
          ]) {
            const { reason } = yield* Effect.flip(call)
            assert.match(reason.message, /cannot send; it can: fetch, stream/)
          }
        }),
        { allowOrders: false }
      )
      assert.deepStrictEqual(gateway.clients(), [])
    })
  )
})
