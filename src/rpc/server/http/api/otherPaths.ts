/** What is served beside the API, as OpenAPI describes it, and what its own description does not have. */
import { fewBars, fewOptions, mostBars } from "./bounds.ts"
import { instantWords } from "./InstantText.ts"

const problem = {
  description: "Problem details (RFC 9457)",
  content: {
    "application/problem+json": {
      schema: {
        type: "object",
        properties: {
          type: { type: "string" },
          status: { type: "integer" },
          title: { type: "string" },
          detail: { type: "string" },
          error: { type: "string" }
        }
      }
    }
  }
}
const json = { "application/json": { schema: { type: "object" } } }
const lines = { "application/x-ndjson": { schema: { type: "object" } } }
const tag = { name: "operations", description: "Whether it runs, and what it does" }
const liveTag = { name: "live", description: "Live data as JSON over a WebSocket" }
const rpcTag = { name: "rpc", description: "Typed calls, described in docs/protocol.md" }

const parameter = (
  name: string,
  place: "path" | "query",
  description: string,
  schema: object = { type: "string" }
) => ({
  name,
  in: place,
  required: place === "path",
  description,
  schema
})

const feed = (id: string, summary: string, what: string, said: string) => ({
  get: {
    tags: [liveTag.name],
    operationId: `live.${id}`,
    summary,
    description: "Opens a WebSocket, which sends one JSON object a message; docs/http-api.md describes them.",
    parameters: [
      parameter(what, "path", said),
      parameter("vendor", "query", "Whose; needed where more than one vendor streams this"),
      parameter("conflate", "query", "false: each row is sent while there is room for it", {
        type: "boolean",
        default: true
      })
    ],
    responses: {
      "101": { description: "The WebSocket is open" },
      "400": problem,
      "404": problem,
      "422": problem,
      "426": problem,
      "503": problem
    }
  }
})

const probe = (id: string, summary: string, responses: object) => ({
  get: { tags: [tag.name], operationId: `operations.${id}`, summary, parameters: [], responses }
})

const paths = {
  "/ws/quotes/{symbol}": feed("quotes", "Live quotes", "symbol", "As the vendor spells it, percent-encoded"),
  "/ws/depth/{symbol}": feed("depth", "A live book", "symbol", "As the vendor spells it, percent-encoded"),
  "/ws/portfolio/{account}": feed(
    "portfolio",
    "A live portfolio",
    "account",
    "The account, or default where there is one"
  ),
  "/healthz": probe("alive", "Whether the process answers at all", {
    "200": { description: "It does, and what it knows of its parts by itself", content: json }
  }),
  "/readyz": probe(
    "ready",
    "Whether the stores answer, sessions that are needed are connected, live streams run, and calls are taken",
    {
      "200": { description: "All is well", content: json },
      "503": { description: "Something is not; the body says what", content: json }
    }
  ),
  "/metrics": probe("metrics", "Metrics of the process", {
    "200": { description: "In Prometheus' text format", content: { "text/plain": { schema: { type: "string" } } } }
  }),
  "/rpc": {
    post: {
      tags: [rpcTag.name],
      operationId: "rpc.calls",
      summary: "Calls as JSON lines, one request a line",
      requestBody: { content: lines, required: true },
      parameters: [],
      responses: { "200": { description: "One line or more for each call", content: lines } }
    },
    get: {
      tags: [rpcTag.name],
      operationId: "rpc.socket",
      summary: "Opens a WebSocket for calls in effect's binary frames",
      parameters: [],
      responses: { "101": { description: "The WebSocket is open" } }
    }
  }
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? { ...value } : {}

/** What the texts of parameters are read as; the description that is made of their codecs only has the texts. */
const read: Readonly<Record<string, object>> = {
  limit: { schema: { type: "integer", minimum: 1, maximum: mostBars, default: fewBars }, description: "Bars, at most" },
  max_contracts: {
    schema: { type: "integer", minimum: 2, default: fewOptions },
    description: "Contracts, at most: a call and a put each"
  },
  start: { schema: { type: "string" }, description: `The first bars from here on. ${instantWords}` },
  end: { schema: { type: "string" }, description: `Up to before here; now unless given. ${instantWords}` }
}

const described = (operation: unknown): Record<string, unknown> => {
  const fields = recordOf(operation)
  if (!Array.isArray(fields.parameters)) return fields
  const parameters = fields.parameters.map((parameter: unknown) => {
    const one = recordOf(parameter)
    return { ...one, ...(typeof one.name === "string" ? read[one.name] : {}) }
  })
  return { ...fields, parameters }
}

const describedPaths = (all: unknown) =>
  Object.fromEntries(
    Object.entries(recordOf(all)).map(([path, item]) => [
      path,
      Object.fromEntries(Object.entries(recordOf(item)).map(([method, operation]) => [method, described(operation)]))
    ])
  )

/** The description of the API with all else that is served. */
export const withOtherPaths = (spec: Record<string, unknown>): Record<string, unknown> => ({
  ...spec,
  paths: { ...describedPaths(spec.paths), ...paths },
  tags: [...(Array.isArray(spec.tags) ? spec.tags : []), liveTag, tag, rpcTag]
})
