/**
 * A page that asks a Tapestry server for bars over its WebSocket and draws them. Bundled for the browser it has nothing of Node:
 *
 *     npm run build                     # in a checkout: `tapestry/client` is its dist/; elsewhere: npm install
 *     cd examples/browser-client
 *     npx rolldown main.ts --platform browser --format esm --file dist/main.js
 *     node serve.mjs dist 8080          # serves the page; its origin must be in the server's serve.allowedOrigins
 *
 * `?server=ws://127.0.0.1:7070/rpc` names the server.
 */
import { Effect, Stream } from "effect"
import { TapestryClient, WebSocketClient } from "tapestry/client"
import { SeriesKey } from "tapestry/contract"
import { chart } from "./chart.ts"

/** All of the page that this uses; a project whose tsconfig has the library `dom` needs no declaration. */
declare const document: { getElementById: (id: string) => { innerHTML: string } | null }
declare const location: { readonly search: string }

const server = new URLSearchParams(location.search).get("server") ?? "ws://127.0.0.1:7070/rpc"

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const show = (id: string, html: string) =>
  Effect.sync(() => {
    const element = document.getElementById(id)
    if (element !== null) element.innerHTML = html
  })

const program = Effect.gen(function* () {
  const client = yield* TapestryClient
  const hello = yield* client["System.hello"]()
  const series = yield* client["Series.resolve"]({
    vendor: "sample",
    query: { symbol: "SPX", kind: "bar", timeframe: "1d" }
  })
  const range = { start: Date.UTC(2019, 0, 1), end: Date.UTC(2020, 6, 1) }
  yield* show("title", escaped(SeriesKey.canonical(series)))

  const bars = yield* Stream.runCollect(client["Series.bars"]({ series, range, onMissing: "partial" }))
  yield* show("chart", chart(bars, series.currency ?? ""))

  const coverage = yield* Stream.runCollect(client["Series.coverage"]({ series, range }))
  const day = (ts: number) => new Date(ts).toISOString().slice(0, 10)
  yield* show(
    "coverage",
    coverage
      .map(({ end, start, state }) => `<tr><td>${day(start)}</td><td>${day(end)}</td><td>${state._tag}</td></tr>`)
      .join("")
  )
  yield* show("status", `${bars.length} bars from tapestry ${escaped(hello.product)}`)
})

Effect.runFork(
  program.pipe(
    Effect.catch((error) => show("status", `failed: ${escaped(`${error._tag}: ${error.message}`)}`)),
    Effect.provide(WebSocketClient.layer({ url: server }))
  )
)
