/** An export of answers that came over HTTP, checked against the archive: they are read with what the vendor said beside their bytes. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { StitchingCache } from "../../../../src/services/StitchingCache.ts"
import { verifyWithArchive, write } from "../../export/support.ts"
import * as LocalServer from "../../http/localServer.ts"
import { over, temporaryDirectory } from "../../stitching/support.ts"
import { adapterOf } from "./support.ts"

it.live("C26 an export of answers that came compressed, and in pages, is whole against the archive", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const rows = ["2020-01-02", "2020-01-03", "2020-01-06"].map((ts) => ({ ts, open: 1, high: 2, low: 1, close: 2 }))
      const server = yield* LocalServer.http((_, response, count) => {
        const link = count < rows.length ? { link: `</ACME?page=${count + 1}>; rel="next"` } : {}
        const body = gzipSync(JSON.stringify([rows[count - 1]]))
        response.writeHead(200, { "content-encoding": "gzip", ...link }).end(body)
      })
      const adapter = yield* adapterOf(`
vendors:
  v:
    adapter: http
    url: ${server.url}/{symbol}?from={start}
    timeframes: { 1d: {} }
    format: json
    timestamp: yyyy-MM-dd
    pagination: { kind: cursor, link: true }
`)
      const directory = yield* temporaryDirectory
      const data = join(directory, "data")
      mkdirSync(data)
      const found = yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = yield* cache.resolve("v", { symbol: "ACME", kind: "bar", timeframe: "1d" })
        const range = { start: Date.parse("2020-01-01"), end: Date.parse("2020-02-01") }
        const answer = yield* cache.read({ series, range })
        assert.strictEqual(answer.rowCount, 3)
        const out = join(directory, "out")
        yield* write({ answers: [answer], directory: out, format: "csv", lineage: true })
        return yield* verifyWithArchive(out)
      }).pipe(Effect.provide(Layer.merge(over(data, [adapter]), Layer.merge(NodeFileSystem.layer, NodePath.layer))))
      assert.deepStrictEqual(found.problems, [])
    })
  )
)
