/**
 * A process that reads one range from a vendor of NDJSON into a data directory: for tests that kill it, and that look at how much
 * memory it takes. Prints the bars it had and by how many bytes its memory grew at most.
 */
import { Effect } from "effect"
import { over } from "../../stitching/support.ts"
import { adapterOf, read } from "./support.ts"

const [url = "", directory = ""] = process.argv.slice(2)

const yaml = `
vendors:
  v:
    adapter: http
    url: ${url}/{symbol}?a={start}
    timeframes: { 1m: {} }
    format: ndjson
    timestamp: epoch-millis
`

const program = Effect.gen(function* () {
  const adapter = yield* adapterOf(yaml)
  yield* Effect.gen(function* () {
    const before = process.memoryUsage().rss
    const { bars } = yield* read({ timeframe: "1m", from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z" })
    const grown = process.resourceUsage().maxRSS * 1024 - before
    process.stdout.write(`${JSON.stringify({ bars: bars.length, grown })}\n`)
  }).pipe(Effect.provide(over(directory, [adapter])))
}).pipe(Effect.scoped)

await Effect.runPromise(program)
