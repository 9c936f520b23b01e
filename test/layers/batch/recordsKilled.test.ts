/**
 * Trades on their way into PostgreSQL while the process that writes them is killed, and while the server is: what was acknowledged is
 * there once, as it was said, and of the rest each trade is there whole or not at all.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { BatchProcessor } from "../../../src/services/BatchProcessor.ts"
import { Imports } from "../../../src/services/Imports.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { everything } from "../../services/market/commits.ts"
import { bareDatabase, postgres } from "../../support/postgres.ts"
import { layersOver, tradeAt, trades } from "./killedLayers.ts"

const child = fileURLToPath(new URL("recordsKilledChild.ts", import.meta.url))

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-records-killed-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

/** Once each, as they were submitted, in order; none was ever another. */
const checked = Effect.fnUntraced(function* (acknowledged: ReadonlySet<number>, submitted: number) {
  const records = yield* RecordStore
  const rows = yield* Stream.runCollect(records.rows(trades, everything))
  const numbers = rows.map(({ sequence }) => sequence ?? -1)
  const there = new Set(numbers)
  assert.strictEqual(there.size, numbers.length, "a trade is there twice")
  for (const index of acknowledged) assert.isTrue(there.has(index), `trade ${index} was acknowledged and is lost`)
  assert.isAtMost(there.size, submitted)
  assert.deepStrictEqual(
    rows,
    [...rows].map(({ sequence }) => tradeAt(sequence ?? -1))
  )
  assert.deepStrictEqual(yield* Stream.runCollect(records.revisions(trades, everything)), [])
  return there.size
})

/** Runs the child until it has had so many acknowledged, then kills it; the numbers of those that it was told of. */
const killedAfter = async (directory: string, url: string, from: number, count: number) => {
  const process_: ChildProcess = spawn(process.execPath, [child, directory, url, String(from)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const told: Array<number> = []
  const ended = new Promise<NodeJS.Signals | null>((resolve) => process_.on("exit", (_, signal) => resolve(signal)))
  if (process_.stdout === null) throw new Error("no standard output")
  for await (const line of createInterface({ input: process_.stdout })) {
    // Between them stands what is logged.
    if (!/^\d+$/.test(line)) continue
    told.push(Number(line))
    if (told.length === count) process_.kill("SIGKILL")
  }
  assert.strictEqual(await ended, "SIGKILL")
  return told
}

describe("trades on their way into PostgreSQL", () => {
  it.live(
    "70: of a process that is killed 8 times nothing acknowledged is lost, and nothing is there twice",
    () =>
      Effect.gen(function* () {
        const directory = yield* scratch
        const url = yield* bareDatabase
        const acknowledged = new Set<number>()
        let from = 0
        for (let kill = 0; kill < 8; kill++) {
          // How far it is in the batch under way differs from kill to kill.
          const told = yield* Effect.promise(() => killedAfter(directory, url, from, 150 + 97 * kill))
          for (const index of told) acknowledged.add(index)
          // What was submitted and not acknowledged is submitted again, which whoever sent it would do.
          from = Math.max(...told) - 20
        }
        const submitted = Math.max(...acknowledged) + 4_096
        const there = yield* Effect.provide(checked(acknowledged, submitted), layersOver(directory, url))
        // What was archived and not stored when a process died is stored by the archive alone, and the rest is known.
        const after = yield* Effect.gen(function* () {
          const replayed = yield* Stream.runCollect((yield* Imports).replay())
          assert.isTrue(replayed.every(({ problem }) => problem === null))
          const inserted = replayed.reduce((sum, one) => sum + one.inserted, 0)
          assert.strictEqual(yield* checked(acknowledged, submitted), there + inserted)
          return inserted
        }).pipe(Effect.provide(layersOver(directory, url)))
        console.log(`8 kills, ${acknowledged.size} trades acknowledged, ${there} there, ${after} more in the archive`)
      }),
    120_000
  )

  it.live(
    "70: of a server that is killed 10 times under load nothing acknowledged is lost, and nothing is there twice",
    () =>
      Effect.gen(function* () {
        const directory = yield* scratch
        const url = yield* bareDatabase
        const server = yield* postgres
        yield* Effect.gen(function* () {
          const { stats, submit } = yield* BatchProcessor
          const acknowledged = new Set<number>()
          let submitted = 0
          let stopped = false
          const one = Effect.gen(function* () {
            while (!stopped) {
              const index = submitted++
              yield* submit({ series: trades, row: tradeAt(index) })
              acknowledged.add(index)
            }
          })
          const load = yield* Effect.forkChild(
            Effect.forEach(Array.from({ length: 64 }), () => one, { concurrency: "unbounded", discard: true }),
            { startImmediately: true }
          )
          for (let kill = 0; kill < 10; kill++) {
            const before = acknowledged.size
            while (acknowledged.size < before + 500) yield* Effect.sleep("2 millis")
            yield* Effect.sleep(`${kill % 7} millis`)
            server.kill()
            yield* Effect.promise(server.restart)
            assert.isUndefined(load.pollUnsafe())
          }
          stopped = true
          yield* Fiber.join(load)
          assert.strictEqual(yield* checked(acknowledged, submitted), submitted, "in the end all were acknowledged")
          const [told] = yield* stats
          assert.deepInclude(told, { deadLettered: 0, buffered: 0 })
          console.log(`10 kills, ${acknowledged.size} trades acknowledged`)
        }).pipe(Effect.provide(layersOver(directory, url)))
      }),
    120_000
  )
})
