/**
 * Takes credentials out of what is about to be stored or logged: values under denied names become `[redacted]`, in headers,
 * in JSON at any depth, in the query and the user part of URLs, and in free text that quotes a URL or an authorization.
 *
 * Adapters keep credentials out of requests in the first place; this is the second line, for what slips through. Names are
 * compared without case, `-` and `_`. It never touches the hash of a request: two requests that differ in a parameter of an
 * unlucky name stay two requests, only their stored text is alike.
 */
import type { Schema } from "effect"
import type { ResponseMetadata } from "../../domain/Response.ts"

export const redacted = "[redacted]"

/** Names whose values are credentials, in lower case without separators. */
export const deniedNames: ReadonlyArray<string> = [
  "accesskey",
  "accesstoken",
  "apikey",
  "apitoken",
  "auth",
  "authkey",
  "authorization",
  "authtoken",
  "bearer",
  "clientsecret",
  "cookie",
  "credential",
  "credentials",
  "idtoken",
  "jwt",
  "key",
  "passphrase",
  "passwd",
  "password",
  "privatekey",
  "proxyauthorization",
  "pwd",
  "refreshtoken",
  "secret",
  "secretkey",
  "sessiontoken",
  "setcookie",
  "sig",
  "signature",
  "subscriptionkey",
  "token"
]

const normalise = (name: string): string => name.toLowerCase().replace(/[-_]/g, "")
/** Vendors prefix header names freely (`X-Goog-Api-Key`), and hiding one too many there costs nothing. */
const deniedHeaderEnding =
  /(apikey|apikeyid|accesskey|subscriptionkey|token|secret|password|signature|cookie|authorization)$/

/** Every answer has the same few names, and looking at one costs a microsecond; the last thousand are known. */
const remembered = (look: (name: string) => boolean): ((name: string) => boolean) => {
  const known = new Map<string, boolean>()
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    if (known.size >= 1_000) known.clear()
    const verdict = look(name)
    known.set(name, verdict)
    return verdict
  }
}

export interface Redaction {
  readonly json: (value: Schema.Json) => Schema.Json
  readonly text: (value: string) => string
  readonly metadata: (metadata: ResponseMetadata) => ResponseMetadata
}

/** A redaction with the names above and those in `extra`. */
export const make = (extra: ReadonlyArray<string> = []): Redaction => {
  const names = new Set([...deniedNames, ...extra.map(normalise)])
  const denied = remembered((name) => names.has(normalise(name)) || normalise(name).startsWith("xapikey"))
  const deniedHeader = remembered((name) => denied(name) || deniedHeaderEnding.test(normalise(name)))

  /** `?name=value`, `&name=value` and `name=value` after `;`, as in a URL's query or fragment. */
  const pair = /([?&;#])([^=&?;#\s"'<>]+)=([^&;#\s"'<>]*)/g
  const userInfo = /([a-z][a-z0-9+.-]*:\/\/)[^/\s@"'<>]+@/gi
  const scheme = /\b(bearer|basic|digest|token)(\s+)[A-Za-z0-9._~+/-]{8,}=*/gi

  const text = (value: string): string => {
    if (!/[=@]|bearer|basic|digest|token/i.test(value)) return value
    return value
      .replace(pair, (whole, mark: string, name: string) =>
        denied(decodeName(name)) ? `${mark}${name}=${redacted}` : whole
      )
      .replace(userInfo, `$1${redacted}@`)
      .replace(scheme, `$1$2${redacted}`)
  }

  const json = (value: Schema.Json): Schema.Json => {
    if (typeof value === "string") return text(value)
    if (typeof value !== "object" || value === null) return value
    if (isList(value)) return value.map(json)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, denied(name) ? redacted : json(item)]))
  }

  const headers = (value: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(value).map(([name, item]) => [name, deniedHeader(name) ? redacted : text(item)]))

  return {
    json,
    text,
    metadata: (metadata) => ({
      ...metadata,
      url: metadata.url === null ? null : text(metadata.url),
      headers: headers(metadata.headers),
      adapter: Object.fromEntries(
        Object.entries(metadata.adapter).map(([name, item]) => [name, denied(name) ? redacted : json(item)])
      )
    })
  }
}

const isList = (value: Schema.Json): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

const decodeName = (name: string): string => (name.includes("%") ? decodeURIComponent(safePercent(name)) : name)
/** A stray `%` is kept as it is. */
const safePercent = (name: string): string => name.replace(/%(?![0-7][0-9a-fA-F])/g, "%25")
