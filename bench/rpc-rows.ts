/**
 * Claim: a client in a process of its own reads 100,000 covered bars at 450,000 rows a second over WebSocket (binary) and at
 * 300,000 over TCP (JSON lines), or at no less than 0.5 and 0.55 times what effect's own server gives that streams rows which are
 * ready in memory, over the same transport, to the same client, in chunks of the same 4,000.
 *
 * Run: `npm run bench -- rpc-rows`. Medians of five reads each, after one that is not counted.
 */
import { Effect, Layer, Stream } from "effect"
import { StitchingCache } from "../src/services/StitchingCache.ts"
import * as Baseline from "./support/baselineRpc.ts"
import { freePort, measure, median, withServer } from "./support/rpcServer.ts"

const rows = 100_000
const runs = 5
const targets = {
  websocket: { perSecond: 450_000, ratio: 0.5 },
  tcp: { perSecond: 300_000, ratio: 0.55 }
} as const

const results = await withServer(rows, ({ httpPort, range, series, tcpPort }) =>
  Effect.gen(function* () {
    const cache = yield* StitchingCache
    const bars = yield* Stream.runCollect((yield* cache.read({ series, range })).bars)
    const ports = { tcp: yield* freePort, websocket: yield* freePort }
    yield* Layer.build(
      Layer.merge(Baseline.tcp(ports.tcp, bars, 4_000), Baseline.webSocket(ports.websocket, bars, 4_000))
    )
    const read = Effect.fnUntraced(function* (of: "tapestry" | "baseline", transport: "tcp" | "websocket") {
      const port = of === "baseline" ? ports[transport] : transport === "tcp" ? tcpPort : httpPort
      const measured = yield* measure({ transport, port, of, work: { _tag: "Rows", runs }, series, range })
      if (!("rows" in measured) || measured.rows !== rows) return yield* Effect.die(new Error(JSON.stringify(measured)))
      return rows / (median(measured.millis) / 1_000)
    })
    return {
      websocket: { ours: yield* read("tapestry", "websocket"), bare: yield* read("baseline", "websocket") },
      tcp: { ours: yield* read("tapestry", "tcp"), bare: yield* read("baseline", "tcp") }
    }
  })
)

let holds = true
for (const transport of ["websocket", "tcp"] as const) {
  const { bare, ours } = results[transport]
  const target = targets[transport]
  const met = ours >= target.perSecond || ours / bare >= target.ratio
  holds &&= met
  console.log(
    `${transport.padEnd(10)} ${Math.round(ours).toLocaleString("en")} rows/s   ${(ours / bare).toFixed(2)} x prebuilt rows (${Math.round(bare).toLocaleString("en")})   target ${target.perSecond.toLocaleString("en")} or ${target.ratio} x   ${met ? "holds" : "MISSES"}`
  )
}
process.exitCode = holds ? 0 : 1
