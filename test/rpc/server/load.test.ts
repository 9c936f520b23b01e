/** What one client can cost a server in a process of its own: memory, and the time of others. */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as RawClient from "./support/RawClient.ts"

const { request } = RawClient
const script = fileURLToPath(new URL("support/loadServer.ts", import.meta.url))

/** V8 makes its young generation larger when it likes; fixed, what is measured is what the server holds. MB. */
const youngGeneration = "--max-semi-space-size=8"

const served = Effect.fnUntraced(function* (...flags: ReadonlyArray<string>) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [...flags, script], { stdio: ["ignore", "pipe", "inherit"] })),
    (child) =>
      Effect.promise(async () => {
        const closed = once(child, "close")
        child.kill("SIGKILL")
        await closed
      })
  )
  const port = yield* Effect.promise(async () => Number(String((await once(child.stdout, "data"))[0])))
  /** In MB, without garbage: how much of that lies about depends on when V8 last collected, by more than what is measured. */
  const memory = Effect.promise(async () => {
    const collected = once(child.stdout, "data")
    child.kill("SIGUSR2")
    const held = Number(String((await collected)[0])) / 1024 / 1024
    return { held, resident: rss(child.pid ?? 0) }
  })
  return { pid: child.pid ?? 0, memory, target: { host: "127.0.0.1", port } }
})

/** Of the process, in MB. */
const rss = (pid: number): number =>
  Number(spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).stdout) / 1024

/** Milliseconds that each of some calls took, one after the other. */
const latencies = (client: RawClient.RawClient, calls: number) =>
  Effect.gen(function* () {
    const taken: Array<number> = []
    for (let call = 0; call < calls; call++) {
      const began = performance.now()
      yield* client.send(request(call, "echo", { text: "x" }))
      yield* client.next
      taken.push(performance.now() - began)
      yield* Effect.sleep("5 millis")
    }
    return taken.toSorted((a, b) => a - b)
  })

/** Rows of a stream, as many as a server has: the first chunk of 1,000. */
const manyBars = { count: 10_000_000, chunk: 1_000 }

/**
 * Many streams that are read, and many rows of one: code is compiled then, and V8's young generation is as large as it gets
 * with any work. What those who read nothing add to that is measured.
 */
const warm = Effect.fnUntraced(function* (target: RawClient.Target) {
  const reader = Effect.fnUntraced(function* (streams: number, payload: object) {
    const client = yield* RawClient.open(target)
    yield* client.send(...Array.from({ length: streams }, (_, id) => request(id, "bars", payload)))
    let open = streams
    while (open > 0) {
      const answer = yield* client.next
      if (answer?._tag === "Chunk") yield* client.send({ _tag: "Ack", requestId: answer.requestId })
      else open -= 1
    }
  }, Effect.scoped)
  yield* reader(1, { count: 400_000, chunk: 4_000 })
  yield* Effect.forEach(Array.from({ length: 125 }), () => reader(16, { count: 1_000, chunk: 1_000 }), {
    concurrency: 125,
    discard: true
  })
})

for (const [connections, streams, ...flags] of [
  [1, 2_000],
  [125, 16, youngGeneration]
] as const) {
  describe(`${connections} connections that open ${streams} streams each and read nothing`, () => {
    it.live(
      "cost less than 64 MB, and no other client 20 ms",
      () =>
        Effect.gen(function* () {
          const { pid, target } = yield* served(...flags)
          yield* warm(target)
          const other = yield* RawClient.open(target)
          yield* latencies(other, 50)
          const before = rss(pid)
          for (let connection = 0; connection < connections; connection++) {
            const client = yield* RawClient.open(target)
            client.socket.pause()
            yield* client.send(...Array.from({ length: streams }, (_, id) => request(id, "bars", manyBars)))
          }
          const taken = yield* latencies(other, 200)
          const grown = rss(pid) - before
          assert.isBelow(grown, 64)
          // The slowest few of 200 are the machine's, which runs other tests at the same time.
          assert.isBelow(taken[189] ?? Number.NaN, 20)
        }),
      30_000
    )
  })
}

describe("one slow reader of ten million rows", () => {
  it.live(
    "leaves memory flat",
    () =>
      Effect.gen(function* () {
        const { memory, target } = yield* served(youngGeneration, "--expose-gc")
        yield* warm(target)
        const client = yield* RawClient.open(target)
        yield* client.send(request("s", "bars", { count: 10_000_000, chunk: 4_000 }))
        const before = yield* memory
        const grown = { held: 0, resident: 0 }
        for (let chunk = 0; chunk < 250; chunk++) {
          assert.strictEqual((yield* client.next)?._tag, "Chunk")
          yield* Effect.sleep("5 millis")
          yield* client.send({ _tag: "Ack", requestId: "s" })
          if (chunk % 50 !== 49) continue
          const { held, resident } = yield* memory
          grown.held = Math.max(grown.held, held - before.held)
          grown.resident = Math.max(grown.resident, resident - before.resident)
        }
        assert.isBelow(grown.held, 8)
        assert.isBelow(grown.resident, 32)
      }),
    30_000
  )
})
