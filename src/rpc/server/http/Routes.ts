import { problem } from "./problem.ts"
import type { Refusal } from "./Refusal.ts"
import { pathOf } from "./url.ts"

export type Method = "GET" | "POST"

/** What is described by /openapi.json. */
export const control: ReadonlyArray<readonly [method: Method, template: `/${string}`]> = [
  ["GET", "/prices"],
  ["GET", "/options"],
  ["GET", "/contracts"],
  ["GET", "/positions"],
  ["GET", "/account"],
  ["GET", "/docs"],
  ["GET", "/openapi.json"],
  ["GET", "/schema/version"],
  ["GET", "/jobs/{id}"],
  ["POST", "/migrate"],
  ["POST", "/retention/apply"],
  ["POST", "/refresh/aggregate"],
  ["POST", "/backfill/{job}"]
]

const market: ReadonlySet<string> = new Set(["/prices", "/options", "/contracts", "/positions", "/account"])

/** Whether a template is one of market data. */
export const isMarket = (template: string): boolean => market.has(template)

/** What is served as JSON over a WebSocket. */
export const feeds: ReadonlyArray<`/${string}`> = [
  "/ws/quotes/{symbol}",
  "/ws/depth/{symbol}",
  "/ws/portfolio/{account}"
]

/** As the router writes a template. */
export const routeOf = (template: `/${string}`): `/${string}` => `/${template.slice(1).replace(/\{(\w+)\}/g, ":$1")}`

/** What there is, and by which methods; HEAD works where GET does. The answer to a path or method that is not says so. */
const methods: ReadonlyMap<string, ReadonlyArray<Method>> = new Map([
  ["/", ["GET"]],
  ["/rpc", ["GET", "POST"]],
  ["/healthz", ["GET"]],
  ["/readyz", ["GET"]],
  ["/metrics", ["GET"]],
  ...control.map(([method, template]): [string, ReadonlyArray<Method>] => [template, [method]]),
  ...feeds.map((template): [string, ReadonlyArray<Method>] => [template, ["GET"]])
])

/** Every path that there is, as it is written here. */
export const all: ReadonlyArray<string> = [...methods.keys()]

/** By all of it but the name of its last part. */
const templates: ReadonlyMap<string, string> = new Map(
  [...control.map(([, template]) => template), ...feeds].flatMap((template): ReadonlyArray<[string, string]> => {
    const at = template.indexOf("{")
    return at === -1 ? [] : [[template.slice(0, at), template]]
  })
)

const there =
  "POST /rpc (calls as JSON lines), GET /rpc (calls over a WebSocket), GET /healthz, GET /readyz, GET /metrics, GET /ws/quotes/{symbol}, /ws/depth/{symbol} and /ws/portfolio/{account} (JSON over a WebSocket) and what GET /openapi.json describes are served here"

/** The path as it is written here, with the names of its parts; null when there is no such path. */
export const templateOf = (url: string): string | null => {
  const path = pathOf(url)
  if (methods.has(path)) return path
  // Each has one part that is the client's own, the last.
  const named = path.slice(0, path.lastIndexOf("/") + 1)
  return named === path ? null : (templates.get(named) ?? null)
}

/** The methods of a path, for `Allow`; null when there is no such path. */
export const allowOf = (url: string): string | null => {
  const known = methods.get(templateOf(url) ?? "")
  if (known === undefined) return null
  return [...known.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].join(", ")
}

const upgraded: ReadonlySet<string> = new Set(["/rpc", ...feeds])

/** Whether a template is one that can become a WebSocket. */
export const isUpgraded = (template: string): boolean => upgraded.has(template)

const probes: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"])

/** Asked by those who watch the server. */
export const isProbe = (url: string): boolean => probes.has(pathOf(url))

/** For a request that no route took. */
export const notServed = (method: string, url: string): Refusal => {
  const allow = allowOf(url)
  if (allow === null) {
    return { status: 404, line: { _tag: "NotFound", message: there } }
  }
  return {
    status: 405,
    line: { _tag: "MethodNotAllowed", message: `${pathOf(url)} takes ${allow}, and not this method (${method})` },
    headers: { allow }
  }
}

/** For GET /rpc without an upgrade. */
export const upgradeRequired: Refusal = {
  status: 426,
  line: {
    _tag: "UpgradeRequired",
    message: "GET /rpc opens a WebSocket (effect's binary RPC frames); for calls as JSON lines, POST them here"
  },
  headers: { upgrade: "websocket", connection: "upgrade" }
}

/** For the address of a feed without an upgrade. */
export const feedUpgradeRequired: Refusal = problem(
  426,
  { detail: "this opens a WebSocket that sends JSON; ask with a client for WebSockets", error: "UpgradeRequired" },
  { upgrade: "websocket", connection: "upgrade" }
)

/** For an upgrade of anything else. */
export const noUpgrade = (method: string, url: string): Refusal =>
  allowOf(url) === null
    ? notServed(method, url)
    : {
        status: 400,
        line: { _tag: "BadRequest", message: "only GET /rpc and the feeds under /ws can be upgraded, to a WebSocket" }
      }
