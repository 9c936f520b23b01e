import type { Line } from "./LineReader.ts"

/** How many bytes of a line are looked at; the target of a request line may be long, its beginning says enough. */
const lookedAt = 64

const openingBrace = 0x7b

const requestLine = /^[A-Z]+ \S+ HTTP\/\d/i
/** Also without a version, and cut where no more is looked at. */
const method = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PRI) \S/
const header = /^(host|origin|user-agent|referer|content-type|content-length)\s*:/i

/**
 * Whether a line is one of HTTP. A web page can have a browser send a POST to any port of this machine, and each line of its body
 * would be a line here: so where HTTP is spoken, nothing of the connection may be served.
 */
export const isHttp = (line: Line): boolean => {
  if (line._tag === "TooLong" || line.bytes[0] === openingBrace) return false
  const text = Buffer.from(line.bytes.subarray(0, lookedAt)).toString("latin1")
  return requestLine.test(text) || method.test(text) || header.test(text)
}

export const message =
  "this port speaks JSON lines, and HTTP has a port of its own (POST /rpc there); the connection is closed"
