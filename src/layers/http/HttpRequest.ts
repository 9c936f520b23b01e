import type { Redacted } from "effect"

/** What proves who asks. It is added in the line that sends, and only for the origin that the request is addressed to. */
export interface HttpCredentials {
  readonly headers: Readonly<Record<string, Redacted.Redacted<string>>>
  readonly query: Readonly<Record<string, Redacted.Redacted<string>>>
}

export const noCredentials: HttpCredentials = { headers: {}, query: {} }

/** One request. `url` and `headers` hold no credentials: both may be archived and logged. */
export interface HttpRequest {
  readonly method: "GET" | "POST"
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
  readonly credentials: HttpCredentials
}

/** What one attempt may take. Durations are milliseconds, counted from its start; sizes are bytes on the wire. */
export interface HttpPolicy {
  /** Until the connection stands, TLS included. */
  readonly connect: number
  /** Until the head of the answer is there, connecting and redirects included. */
  readonly firstByte: number
  /** Until the last byte of the body. */
  readonly total: number
  readonly maxBytes: number
  /** Where a redirect may lead. Credentials never follow to another origin, and none leads from https to http. */
  readonly redirects: "none" | "sameOrigin" | "follow"
  readonly maxRedirects: number
}

export const defaultPolicy: HttpPolicy = {
  connect: 10_000,
  firstByte: 30_000,
  total: 120_000,
  maxBytes: 1_073_741_824,
  redirects: "sameOrigin",
  maxRedirects: 5
}
