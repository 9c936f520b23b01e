/** Slow readers, clients that leave, and too many of them. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Ref } from "effect"
import { TestClock } from "effect/testing"
import { ask, call, connection, head, post, serve, turn, upgrade } from "./support.ts"

const post_ = (body: string) => head("POST /rpc", { "content-length": String(body.length) }) + body

setFlagsFromString("--expose-gc")
const collect: unknown = runInNewContext("gc")

/** Bytes in use, after what is not has been thrown away. */
const inUse = (): number => {
  if (typeof collect === "function") collect()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** Lets the event loop turn until the count stands still. */
const settled = Effect.fnUntraced(function* (count: Effect.Effect<number>) {
  let still = 0
  let last = -1
  while (still < 20) {
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
    const now = yield* count
    still = now === last ? still + 1 : 0
    last = now
  }
  return last
})

describe("a client that reads slowly", () => {
  it.live("gets its rows no faster than it reads, and memory stays flat", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* serve()
      const { socket } = yield* connection(port)
      const before = inUse()
      socket.pause()
      // 1.2 GB, if all of it were made.
      socket.write(post_(call("1", "Rows", { count: 10_000_000, chunk: 4_000 })))
      const made = yield* settled(Ref.get(seen.rows))
      assert.isAbove(made, 0)
      assert.isBelow(made, 200_000)
      assert.isBelow(inUse() - before, 8 * 1024 * 1024)
      // Reading on makes more of them.
      socket.resume()
      while ((yield* Ref.get(seen.rows)) < made + 200_000) {
        yield* turn
      }
      socket.destroy()
      yield* Deferred.await(seen.interrupted)
    })
  )

  it.live("also when it sends 16 such calls at once, with gzip", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* serve()
      const { socket } = yield* connection(port)
      const before = inUse()
      socket.pause()
      const body = Array.from({ length: 16 }, (_, index) =>
        call(String(index), "Rows", { count: 1_000_000, chunk: 1_000 })
      ).join("")
      socket.write(head("POST /rpc", { "content-length": String(body.length), "accept-encoding": "gzip" }) + body)
      yield* settled(Ref.get(seen.rows))
      assert.isBelow(inUse() - before, 24 * 1024 * 1024)
    })
  )
})

describe("a client that does nothing", () => {
  it.effect("and takes nothing of its answer is cut off after five minutes", () =>
    Effect.gen(function* () {
      const { host, port, seen } = yield* serve()
      const { socket } = yield* connection(port)
      socket.pause()
      socket.write(post_(call("1", "Rows", { count: 10_000_000, chunk: 4_000 })))
      yield* settled(Ref.get(seen.rows))
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual((yield* host.state).connections, 1)
      yield* TestClock.adjust("1 minute")
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.await(seen.interrupted)
      while ((yield* host.state).connections > 0) {
        yield* turn
      }
    })
  )

  it.effect("and sends half a body is told 408 after five minutes", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      const { all, closed, socket } = yield* connection(port)
      socket.write(`${head("POST /rpc", { "content-length": "1000" })}{"_tag":`)
      while ((yield* host.state).connections === 0) {
        yield* turn
      }
      yield* settled(Effect.succeed(0))
      yield* TestClock.adjust("5 minutes")
      yield* closed
      assert.match(all(), /^HTTP\/1.1 408 /)
    })
  )
})

describe("a client that leaves", () => {
  it.effect("interrupts its calls, whether it waits or reads", () =>
    Effect.gen(function* () {
      const { host, port, seen } = yield* serve()
      const { socket } = yield* connection(port)
      socket.write(post_(call("1", "Never", null)))
      yield* Deferred.await(seen.began)
      socket.destroy()
      yield* Deferred.await(seen.interrupted)
      while ((yield* host.state).connections > 0) {
        yield* turn
      }
      assert.strictEqual((yield* host.state).calls, 0)
    })
  )

  it.effect("in the middle of its body", () =>
    Effect.gen(function* () {
      const { host, port, seen } = yield* serve()
      const { socket } = yield* connection(port)
      socket.write(`${head("POST /rpc", { "content-length": "1000" })}${call("1", "Never", null)}{"_tag":`)
      yield* Deferred.await(seen.began)
      socket.destroy()
      yield* Deferred.await(seen.interrupted)
      while ((yield* host.state).connections > 0) {
        yield* turn
      }
    })
  )
})

describe("too many connections", () => {
  it.effect("1,024 may be open, idle ones too; the next is told TooBusy, and places come back", () =>
    Effect.gen(function* () {
      const { host, port } = yield* serve()
      const open = yield* Effect.forEach(Array.from({ length: 1_024 }), () => connection(port), { concurrency: 64 })
      while ((yield* host.state).connections < 1_024) {
        yield* turn
      }
      const hello = call("1", "Echo", { text: "hello" })
      const refused = yield* post(port, hello)
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.headers.connection, "close")
      assert.deepInclude(refused.lines[0], { _tag: "TooBusy", limit: "connections", max: 1_024 })
      const upgraded = yield* connection(port)
      upgraded.socket.write(head("GET /rpc", upgrade))
      yield* upgraded.closed
      assert.match(upgraded.all(), /^HTTP\/1.1 503 .*"TooBusy"/s)
      // Who watches the server is answered, or it would be restarted for being busy.
      assert.strictEqual((yield* ask(port, { path: "/healthz" })).status, 200)
      assert.strictEqual((yield* ask(port, { path: "/readyz" })).status, 200)
      // One that is open is served as before.
      const [first, second] = open
      first?.socket.write(post_(hello))
      assert.match(yield* first?.until(/"Success"/) ?? Effect.succeed(""), /^HTTP\/1.1 200 /)
      second?.socket.destroy()
      while ((yield* host.state).connections > 1_022) {
        yield* turn
      }
      assert.strictEqual((yield* post(port, hello)).status, 200)
    })
  )
})
