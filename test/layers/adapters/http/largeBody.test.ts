import { execFile, spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import type { ServerResponse } from "node:http"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { ProvenanceStore } from "../../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../../src/services/StitchingCache.ts"
import * as LocalServer from "../../http/localServer.ts"
import { over, temporaryDirectory } from "../../stitching/support.ts"
import { adapterOf, read } from "./support.ts"

const payloadLimit = 128 * 1024
const asked = { timeframe: "1m", from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z" } as const
const yamlOf = (url: string) => `
vendors:
  v:
    adapter: http
    url: ${url}/{symbol}?a={start}
    timeframes: { 1m: {} }
    format: ndjson
    timestamp: epoch-millis
`

const child = fileURLToPath(new URL("readChild.ts", import.meta.url))
const start = Date.parse("2020-01-01T00:00:00Z")
const padding = "x".repeat(900)
const line = (index: number) =>
  `{"ts":${start + index * 60_000},"open":1,"high":2,"low":1,"close":1.5,"volume":${index},"note":"${padding}"}\n`

/** Writes so many lines, no faster than they are taken. */
const lines = (response: ServerResponse, count: number) => {
  let at = 0
  const more = () => {
    while (at < count) {
      let block = ""
      for (const end = Math.min(count, at + 500); at < end; at++) block += line(at)
      if (!response.write(block)) return void response.once("drain", more)
    }
    response.end()
  }
  more()
}

describe("C16 a body larger than may be held", () => {
  it.live(
    "100 MB of NDJSON are archived and read in a process that grows by less than that",
    () =>
      Effect.gen(function* () {
        const count = 100_000
        const server = yield* LocalServer.http((_, response) => lines(response, count))
        const directory = yield* temporaryDirectory
        const said = yield* Effect.callback<string>((resume) => {
          // V8 lets its young generation grow as it likes, which says nothing of what is held.
          execFile(
            process.execPath,
            ["--max-semi-space-size=8", child, server.url, directory],
            (error, stdout, stderr) =>
              resume(error === null ? Effect.succeed(stdout) : Effect.die(`${error.message}\n${stderr}`))
          )
        })
        const { bars, grown }: { bars: number; grown: number } = JSON.parse(said)
        assert.strictEqual(bars, count)
        assert.isBelow(grown, 120_000_000)
        console.log(`100 MB of NDJSON: memory grew by ${Math.round(grown / 1_048_576)} MiB at most`)
      }),
    120_000
  )

  it.live(
    "a row of it is explained by its own line, and of damaged bytes nothing is shown",
    () =>
      Effect.gen(function* () {
        const count = 3_000
        const server = yield* LocalServer.http((_, response) => lines(response, count))
        const directory = yield* temporaryDirectory
        const adapter = yield* adapterOf(yamlOf(server.url))
        yield* Effect.gen(function* () {
          const { bars, series } = yield* read(asked)
          assert.lengthOf(bars, count)
          const cache = yield* StitchingCache
          for (const index of [0, 1, 1_234, count - 1]) {
            const { excerpt, response } = yield* cache.explain(series, start + index * 60_000)
            assert.isAbove(response.sizeBytes, 10 * payloadLimit)
            assert.deepStrictEqual(excerpt, {
              label: `line ${index + 1} of the answer for ACME`,
              text: line(index).trimEnd()
            })
          }
          const [file = ""] = readdirSync(join(directory, "responses"), { recursive: true, encoding: "utf8" }).filter(
            (name) => /\.(zst|bin)$/.test(name)
          )
          const path = join(directory, "responses", file)
          const bytes = readFileSync(path)
          bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1
          writeFileSync(path, bytes)
          const { reason } = yield* Effect.flip(cache.explain(series, start))
          assert.include(reason.message, "is damaged")
        }).pipe(Effect.provide(over(directory, [adapter], { payloadLimit })))
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "killed in the middle of a body: nothing of it is in the archive, and the next start leaves no file behind",
    () =>
      Effect.gen(function* () {
        const begun: Array<ServerResponse> = []
        const server = yield* LocalServer.http((_, response) => {
          begun.push(response)
          response.write(line(0).repeat(500))
        })
        const directory = yield* temporaryDirectory
        const drafts = join(directory, "responses", "drafts")
        const process_ = spawn(process.execPath, [child, server.url, directory], { stdio: "ignore" })
        const ended = new Promise<NodeJS.Signals | null>((resolve) =>
          process_.once("exit", (_, signal) => resolve(signal))
        )
        for (let wait = 0; wait < 1200 && !(existsSync(drafts) && readdirSync(drafts).length > 0); wait++)
          yield* Effect.sleep(25)
        assert.strictEqual(readdirSync(drafts).length, 1)
        process_.kill("SIGKILL")
        assert.strictEqual(yield* Effect.promise(() => ended), "SIGKILL")
        assert.strictEqual(readdirSync(drafts).length, 1)
        yield* Effect.gen(function* () {
          const store = yield* ProvenanceStore
          assert.deepStrictEqual(yield* store.responses({ limit: 10 }), [])
          assert.strictEqual((yield* store.requests({ limit: 10 }))[0]?.outcome, "cancelled")
          assert.deepStrictEqual(yield* Stream.runCollect(store.verify(() => Effect.void)), [])
        }).pipe(Effect.provide(over(directory, [])))
        assert.deepStrictEqual(readdirSync(drafts), [])
      }),
    120_000
  )
})
