/** How long an owner is waited for: by a clock that nobody sets, and with an error that says what was wrong in the end. */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, type Scope } from "effect"
import * as OwnerLock from "../../src/layers/owner/OwnerLock.ts"
import type { OwnerServices } from "../../src/programs/owner/asOwner.ts"
import { throughOwner } from "../../src/programs/owner/throughOwner.ts"
import * as Output from "../../src/programs/terminal/Output.ts"
import { Owner, type OwnerError } from "../../src/services/Owner.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-patience-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const hour = 3_600_000

/** Time runs `speed` times as fast; after half a second of it the clock on the wall is set by `jump` ms. */
const jumping = (jump: number, speed: number): Layer.Layer<never> => {
  const began = performance.now()
  const since = () => (performance.now() - began) * speed
  const wall = () => Math.round(Date.UTC(2024, 0, 1) + since() + (since() > 500 ? jump : 0))
  const nanos = () => BigInt(Math.round(since() * 1_000_000))
  return Layer.effect(
    Clock.Clock,
    Clock.clockWith((real) =>
      Effect.succeed({
        currentTimeMillisUnsafe: wall,
        currentTimeMillis: Effect.sync(wall),
        currentTimeNanosUnsafe: () => BigInt(wall()) * 1_000_000n,
        currentTimeNanos: Effect.sync(() => BigInt(wall()) * 1_000_000n),
        monotonicTimeNanosUnsafe: nanos,
        monotonicTimeNanos: Effect.sync(nanos),
        sleep: (duration: Duration.Duration) => real.sleep(Duration.millis(Duration.toMillis(duration) / speed))
      })
    )
  )
}

const none: Effect.Effect<OwnerServices<never, never>> = Effect.die("it has an owner")

const command = (dataDir: string): Effect.Effect<string, OwnerError> =>
  throughOwner(
    { dataDir, product: "test", vendors: new Set(), store: null, services: none },
    Effect.succeed("done"),
    () => Effect.succeed("done")
  ).pipe(
    Effect.catchTag(["MarketStoreError", "TenantError"], Effect.die),
    Effect.provide(Layer.provideMerge(Output.layer, NodeServices.layer))
  )

/** The reason, and after how many seconds of the clock that nobody sets. */
const refusal = <A, R>(effect: Effect.Effect<A, OwnerError, R>) =>
  Effect.gen(function* () {
    const began = yield* Clock.monotonicTimeNanos
    const { message, reason } = yield* Effect.flip(effect)
    return { message, reason, seconds: Number((yield* Clock.monotonicTimeNanos) - began) / 1e9 }
  })

const live = (
  name: string,
  test: Effect.Effect<void, unknown, Scope.Scope | Layer.Success<typeof NodeServices.layer>>
) => it.live(name, () => Effect.provide(Effect.scoped(test), NodeServices.layer), 20_000)

for (const [name, jump] of [
  ["back", -hour],
  ["forward", hour]
] as const) {
  describe(`while the clock is set ${name} by an hour`, () => {
    live(
      "a command waits twelve seconds for an owner that serves nobody",
      Effect.gen(function* () {
        const dataDir = yield* directory
        yield* Layer.build(OwnerLock.layer({ dataDir, product: "test" }))
        const { reason, seconds } = yield* Effect.provide(refusal(command(dataDir)), jumping(jump, 10))
        assert.strictEqual(reason._tag, "OwnedElsewhere")
        assert.isAtLeast(seconds, 12)
        assert.isBelow(seconds, 20)
      })
    )

    live(
      "who has two seconds of patience waits for two",
      Effect.gen(function* () {
        const dataDir = yield* directory
        yield* Layer.build(OwnerLock.layer({ dataDir, product: "test" }))
        const second = Layer.build(Layer.fresh(OwnerLock.layer({ dataDir, product: "test", patience: "2 seconds" })))
        const { reason, seconds } = yield* Effect.provide(refusal(second), jumping(jump, 2))
        assert.strictEqual(reason._tag, "OwnedElsewhere")
        assert.isAtLeast(seconds, 1.9)
        assert.isBelow(seconds, 5)
      })
    )
  })
}

/** An owner whose socket says one line to whoever comes, for as long as the scope lives. */
const saying = (line: string) =>
  Effect.gen(function* () {
    const dataDir = yield* directory
    const path = join(dataDir, "owner.sock")
    let asked = 0
    yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer((socket) => {
          asked += 1
          socket.on("error", () => {})
          socket.resume()
          socket.end(line)
        })
        server.listen(path, () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
    const context = yield* Layer.build(OwnerLock.layer({ dataDir, product: "test" }))
    const { announce } = yield* Effect.provide(Owner, context)
    yield* announce(path)
    return { dataDir, asked: () => asked }
  })

describe("an owner that refuses", () => {
  live(
    "for want of room is asked again for twelve seconds, and is then said to be too busy",
    Effect.gen(function* () {
      const { asked, dataDir } = yield* saying('{"_tag":"TooBusy","limit":"connections","max":1024,"message":"m"}\n')
      const { message, reason, seconds } = yield* Effect.provide(refusal(command(dataDir)), jumping(0, 10))
      assert.deepInclude(reason, { _tag: "OwnerBusy", limit: "connections", max: 1024 })
      assert.match(message, new RegExp(`process ${process.pid}, .* is too busy: it had 1024 connections open`))
      assert.isAbove(asked(), 5)
      assert.isAtLeast(seconds, 12)
      assert.isBelow(seconds, 20)
    })
  )

  live(
    "because it goes down is waited for as long as it says so",
    Effect.gen(function* () {
      const { asked, dataDir } = yield* saying('{"_tag":"ShuttingDown","message":"m"}\n')
      const waiting = yield* Effect.forkChild(Effect.provide(Effect.flip(command(dataDir)), jumping(0, 20)))
      yield* Effect.sleep("1 second")
      assert.isUndefined(waiting.pollUnsafe(), "it gave up after twelve seconds of its clock")
      assert.isAbove(asked(), 5)
      yield* Fiber.interrupt(waiting)
    })
  )
})
