import type { IncomingHttpHeaders } from "node:http"
import { HttpServerResponse } from "effect/http"
import { ShuttingDown, TooBusy } from "../../contract/Border.ts"
import { maxConnections } from "../limits.ts"

/** Why a request is not served: its status, and the one JSON line that says what is wrong and what there is instead. */
export interface Refusal {
  readonly status: number
  readonly line: { readonly [key: string]: unknown }
  /** JSON lines unless given. */
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

export const contentType = "application/x-ndjson"

const text = (refusal: Refusal) => `${JSON.stringify(refusal.line)}\n`

export const toResponse = (refusal: Refusal): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(text(refusal), {
    status: refusal.status,
    contentType: refusal.contentType ?? contentType,
    ...(refusal.headers === undefined ? {} : { headers: refusal.headers })
  })

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage"
}

/** What a status is called. */
export const reasonOf = (status: number): string => reasons[status] ?? "Refused"

/** The whole answer as bytes, for an upgrade: its socket has no response object of node's any more. */
export const toBytes = (refusal: Refusal): string => {
  const body = text(refusal)
  const headers = {
    ...refusal.headers,
    "content-type": refusal.contentType ?? contentType,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close"
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${refusal.status} ${reasonOf(refusal.status)}`, ...lines, "", body].join("\r\n")
}

/** All places for connections are taken. */
export const tooBusy: Refusal = (() => {
  const { _tag, limit, max, message } = new TooBusy({ limit: "connections", max: maxConnections })
  return { status: 503, line: { _tag, limit, max, message }, headers: { connection: "close", "retry-after": "1" } }
})()

export const shuttingDown: Refusal = (() => {
  const { _tag, message } = new ShuttingDown()
  return { status: 503, line: { _tag, message }, headers: { connection: "close", "retry-after": "1" } }
})()

/** A header that may stand in a request several times, joined as node does, or null. */
export const headerOf = (headers: IncomingHttpHeaders, name: string): string | null => {
  const value = headers[name]
  return value === undefined ? null : typeof value === "string" ? value : value.join(", ")
}

/** The headers as the RPC has them. */
export const headersOf = (headers: IncomingHttpHeaders): ReadonlyArray<[string, string]> =>
  Object.keys(headers).flatMap((name): ReadonlyArray<[string, string]> => {
    const value = headerOf(headers, name)
    return value === null ? [] : [[name, value]]
  })
