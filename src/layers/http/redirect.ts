import type { HttpFault } from "./HttpAnswer.ts"
import { type HttpPolicy, type HttpRequest, noCredentials } from "./HttpRequest.ts"
import type { Secrets } from "./secrets.ts"

const redirecting = new Set([301, 302, 303, 307, 308])

export const isRedirect = (status: number): boolean => redirecting.has(status)

/** Headers that speak of who asks or of a body that is gone. */
const personal = new Set(["authorization", "cookie", "proxy-authorization"])
const aboutBody = new Set(["content-type", "content-length", "content-encoding"])

const without = (headers: HttpRequest["headers"], names: ReadonlySet<string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name.toLowerCase())))

/** The request that a redirect asks for, or why it is not made. `hop` counts redirects from 1. */
export const redirected = (
  request: HttpRequest,
  status: number,
  location: string | undefined,
  hop: number,
  policy: HttpPolicy,
  secrets: Secrets
): HttpRequest | HttpFault => {
  const refused = (message: string): HttpFault => ({ _tag: "RedirectRefused", message })
  if (location === undefined) return refused(`the answer redirects (${status}) without saying where`)
  if (policy.redirects === "none") return refused(`the answer redirects (${status}), and redirects are not followed`)
  if (hop > policy.maxRedirects)
    return refused(`more than ${policy.maxRedirects} redirects; the vendor sends us in a circle`)
  const url = URL.parse(location, request.url.href)
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return refused(`the answer redirects (${status}) to something that is no web address`)
  }
  url.username = ""
  url.password = ""
  url.hash = ""
  const sameOrigin = url.origin === request.url.origin
  if (!sameOrigin) {
    if (policy.redirects === "sameOrigin") {
      return refused(`the answer redirects to ${url.host}; only redirects to ${request.url.host} are followed`)
    }
    if (request.url.protocol === "https:" && url.protocol === "http:") {
      return refused(`the answer redirects from https to http (${url.host}), which is not followed`)
    }
    if (secrets.occursIn(location)) return refused(`the answer redirects to ${url.host} with our credentials`)
  }
  // Only 307 and 308 keep the method; for the others every client asks again with GET.
  const keeps = status === 307 || status === 308 || request.method === "GET"
  const headers = keeps ? request.headers : without(request.headers, aboutBody)
  return {
    method: keeps ? request.method : "GET",
    url,
    headers: sameOrigin ? headers : without(headers, personal),
    body: keeps ? request.body : null,
    credentials: sameOrigin ? request.credentials : noCredentials
  }
}
