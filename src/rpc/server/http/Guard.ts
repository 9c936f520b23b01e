import type { IncomingHttpHeaders } from "node:http"
import * as HostRule from "./HostRule.ts"
import * as OriginRule from "./OriginRule.ts"
import { headerOf, type Refusal } from "./Refusal.ts"

export interface GuardOptions {
  /** The address that the server listens at. */
  readonly host: string
  /** Names besides the loopback ones, with or without a port. */
  readonly allowedHosts: ReadonlyArray<string>
  /** Origins besides the server's own, such as `https://app.example`. */
  readonly allowedOrigins: ReadonlyArray<string>
}

/** What the rules look at, as node has it. */
export interface Head {
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: ReadonlyArray<string>
}

/** Who a request may be from. `origin` is set when its page is another's and may read the answer. */
export type Admission =
  | { readonly _tag: "Refused"; readonly refusal: Refusal }
  | { readonly _tag: "Admitted"; readonly origin: string | null }

const refused = (status: number, _tag: string, message: string): Admission => ({
  _tag: "Refused",
  refusal: { status, line: { _tag, message } }
})

/** The authority of `GET http://name/path`: it goes before `Host` (RFC 9112, 3.2.2), so it is held to the same rule. */
const authorityOf = (url: string): string | null => /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? null

/** How often a header stands in the request; node keeps only the first `Host`, and a proxy might have judged by another. */
const timesGiven = (request: Head, name: string): number =>
  request.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length

/** The rules of `Host` and `Origin` for every request and upgrade. Pure: it looks at the request's head and at nothing else. */
export const make = (options: GuardOptions): ((request: Head) => Admission) => {
  const hostAllowed = HostRule.make({ bound: options.host, allowed: options.allowedHosts })
  const originVerdict = OriginRule.make(options.allowedOrigins)
  return (request) => {
    const host = headerOf(request.headers, "host")
    if (host === null || timesGiven(request, "host") > 1) {
      return refused(400, "BadRequest", "a request has exactly one Host header")
    }
    const authority = authorityOf(request.url ?? "/")
    if (!hostAllowed(host) || (authority !== null && !hostAllowed(authority))) {
      return refused(
        403,
        "Forbidden",
        "this Host is not served here; use localhost, or list the name under serve.allowedHosts"
      )
    }
    const origin = timesGiven(request, "origin") > 1 ? "several" : headerOf(request.headers, "origin")
    const verdict = originVerdict(origin, host)
    if (verdict === "foreign") {
      return refused(
        403,
        "Forbidden",
        "pages of this Origin may not call the server; list it under serve.allowedOrigins"
      )
    }
    return { _tag: "Admitted", origin: verdict === "listed" ? origin : null }
  }
}
