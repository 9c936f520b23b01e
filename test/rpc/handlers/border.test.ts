/** What happens around a call: its name in the log of all that it causes, its line, its counts, and what becomes of a defect. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Fiber, Layer, Logger, Metric, References, Stream } from "effect"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import { InternalError } from "../../../src/rpc/contract/Border.ts"
import { Draining } from "../../../src/rpc/handlers/Draining.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import * as Metrics from "../../../src/services/Metrics.ts"
import { client } from "./inMemory.ts"
import { between, seriesOf, layer as world } from "./world.ts"

interface Line {
  readonly message: string
  readonly level: string
  readonly about: Readonly<Record<string, unknown>>
  readonly cause: string
}

const inside = "inside the adapter's fetch"
const vendor = { onRequest: () => Effect.logWarning(inside) }

/** Runs a test over a world of its own, and gives it the log. */
const logged = <A, E>(
  test: (lines: ReadonlyArray<Line>) => Effect.Effect<A, E, TapestryClient | AdapterRegistry>
): Effect.Effect<A, E> => {
  const lines: Array<Line> = []
  const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
    lines.push({
      message: String(Array.isArray(message) ? message[0] : message),
      level: logLevel,
      about: fiber.getRef(References.CurrentLogAnnotations),
      cause: cause.reasons.length === 0 ? "" : Cause.pretty(cause)
    })
  })
  return Effect.suspend(() => test(lines)).pipe(
    Effect.provideService(References.MinimumLogLevel, "Debug"),
    Effect.provide(Layer.merge(Logger.layer([logger]), Layer.provideMerge(client, world(vendor)))),
    Effect.scoped
  )
}

const hours = between("2024-03-04T00:00Z", "2024-03-04T03:00Z")
const series = seriesOf("ALPHA", "1h")
const named = (id: string) => ({ headers: { "x-correlation-id": id } })
const lineOf = (lines: ReadonlyArray<Line>, message: string) => lines.filter((line) => line.message === message)

const counted = (procedure: string, outcome: Metrics.CallOutcome) =>
  Effect.map(Metric.value(Metrics.calls(procedure, outcome)), ({ count }) => count)
const streamsOpen = Effect.map(Metric.value(Metrics.streamsOpen), ({ value }) => value)

describe("Border", () => {
  it.live("names all that a call causes, to the vendor and back, by the id of the caller", () =>
    logged((lines) =>
      Effect.gen(function* () {
        const { "Series.bars": bars } = yield* TapestryClient
        yield* Stream.runDrain(bars({ series, range: hours }, named("order-7.retry:2")))
        for (const message of [inside, "tapestry.fetch", "tapestry.call"]) {
          const [line, ...more] = lineOf(lines, message)
          assert.deepStrictEqual(more, [], message)
          assert.strictEqual(line?.about.call, "order-7.retry:2", message)
          assert.strictEqual(line?.about.procedure, "Series.bars", message)
        }
        const { bytes, elapsed, ...fetched } = lineOf(lines, "tapestry.fetch")[0]?.about ?? {}
        assert.deepStrictEqual(fetched, {
          call: "order-7.retry:2",
          procedure: "Series.bars",
          vendor: "model",
          kind: "bars",
          attempt: 1,
          status: "ok",
          waited: 0
        })
        assert.isAbove(Number(bytes), 0)
        assert.isAtLeast(Number(elapsed), 0)
        assert.strictEqual(lineOf(lines, "tapestry.call")[0]?.about.rows, 3)
      })
    )
  )

  it.live("gives a call an id of its own where the caller gave none that is fit for a line of the log", () =>
    logged((lines) =>
      Effect.gen(function* () {
        const { "System.hello": hello } = yield* TapestryClient
        yield* hello()
        yield* hello(undefined, named("a b"))
        yield* hello(undefined, named("a\nlevel=error"))
        yield* hello(undefined, named(""))
        yield* hello(undefined, named("x".repeat(65)))
        yield* hello(undefined, named("x".repeat(64)))
        const ids = lineOf(lines, "tapestry.call").map(({ about }) => String(about.call))
        assert.strictEqual(new Set(ids).size, 6)
        assert.strictEqual(ids.pop(), "x".repeat(64))
        for (const id of ids) assert.match(id, /^[0-9a-z]{8}$/)
      })
    )
  )

  it.live("leaves one line a call, with the error's tags: at Debug when it was quick", () =>
    logged((lines) =>
      Effect.gen(function* () {
        const { "System.hello": hello, "Vendors.describe": describe } = yield* TapestryClient
        const [ok, refused] = [yield* counted("System.hello", "ok"), yield* counted("Vendors.describe", "refused")]
        yield* hello()
        yield* Effect.flip(describe({ vendor: "modle" }))
        assert.deepStrictEqual(
          lineOf(lines, "tapestry.call").map(({ about, level }) => [level, about.procedure, about.outcome]),
          [
            ["Debug", "System.hello", "ok"],
            ["Debug", "Vendors.describe", "AdapterRegistryError/UnknownVendor"]
          ]
        )
        assert.strictEqual(yield* counted("System.hello", "ok"), ok + 1)
        assert.strictEqual(yield* counted("Vendors.describe", "refused"), refused + 1)
      })
    )
  )

  it.live("counts streams while they are open and the rows that they sent, also when the client leaves", () =>
    logged((lines) =>
      Effect.gen(function* () {
        const { "Series.bars": bars } = yield* TapestryClient
        const range = between("2024-03-04", "2024-03-08")
        const open = yield* streamsOpen
        const sent = (yield* Metric.value(Metrics.rowsSent)).count
        const interrupted = yield* counted("Series.bars", "interrupted")
        const during = yield* bars({ series: seriesOf("ALPHA", "1m"), range }).pipe(
          Stream.take(10),
          Stream.mapEffect(() => streamsOpen),
          Stream.runCollect
        )
        yield* Effect.sleep(20)
        assert.deepStrictEqual([...new Set(during)], [open + 1])
        assert.strictEqual(yield* streamsOpen, open)
        assert.strictEqual(yield* counted("Series.bars", "interrupted"), interrupted + 1)
        const [line] = lineOf(lines, "tapestry.call")
        assert.strictEqual(line?.level, "Debug")
        assert.strictEqual(line?.about.outcome, "interrupted")
        assert.strictEqual((yield* Metric.value(Metrics.rowsSent)).count - sent, line?.about.rows)
        assert.isAtMost(Number(line?.about.rows), 5_000, "a reader that leaves is not read for")
      })
    )
  )

  it.live("turns a defect into a number, under which the log has it", () =>
    logged((lines) =>
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const { fetch: _, ...adapter } = yield* registry.fetcher("model")
        const secret = "the password is swordfish"
        yield* registry.register(Effect.succeed({ ...adapter, name: "broken", ping: Effect.die(new Error(secret)) }))
        const failed = yield* counted("Vendors.ping", "failed")
        const { "Vendors.ping": ping } = yield* TapestryClient
        const error = yield* Effect.flip(ping({ vendor: "broken" }, named("mine")))
        assert.instanceOf(error, InternalError)
        assert.notInclude(JSON.stringify(error), "swordfish")
        const [line] = lineOf(lines, "tapestry.incident")
        assert.include(line?.cause, secret)
        assert.strictEqual(line?.about.incident, error instanceof InternalError ? error.incident : null)
        assert.strictEqual(line?.about.call, "mine")
        assert.strictEqual(lineOf(lines, "tapestry.call")[0]?.about.outcome, "InternalError")
        assert.strictEqual(yield* counted("Vendors.ping", "failed"), failed + 1)
      }).pipe(Effect.scoped)
    )
  )

  it.live("says of a call that a shutdown ended that it was cut, and that the server is not ready", () =>
    logged((lines) =>
      Effect.gen(function* () {
        const { "Series.bars": bars, "System.health": health } = yield* TapestryClient
        const state = yield* health()
        assert.isFalse(state.ready)
        assert.deepStrictEqual(state.checks.at(-1), { name: "server", ok: false, detail: "is shutting down" })
        const range = between("2024-03-04", "2024-03-08")
        const reader = yield* bars({ series: seriesOf("ALPHA", "1m"), range }).pipe(
          Stream.runForEach(() => Effect.never),
          Effect.forkChild
        )
        yield* Effect.sleep(50)
        yield* Fiber.interrupt(reader)
        yield* Effect.sleep(20)
        assert.strictEqual(lineOf(lines, "tapestry.call").at(-1)?.about.outcome, "cut")
      }).pipe(Effect.provideService(Draining, Effect.succeed(true)))
    )
  )
})
