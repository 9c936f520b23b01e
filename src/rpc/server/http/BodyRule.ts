import { ProtocolError } from "../../contract/Border.ts"
import type { Refusal } from "./Refusal.ts"

/** Bytes of the body of one POST. */
export const maxBody = 8 * 1024 * 1024

/**
 * What a page can send without asking first (`text/plain`, `multipart/form-data`) is not among them, but for what `curl -d` says
 * of its body: the rule of origins guards that one, and a real form of that type writes no JSON.
 */
const served = new Set([
  "application/json",
  "application/x-ndjson",
  "application/ndjson",
  "application/x-www-form-urlencoded"
])

export const bodyTooLong = `the body is longer than ${maxBody} bytes, and the rest of it is not read; send it in several requests`

/** What is wrong with a POST by its head alone, or null. A header that is absent is null. */
export const refusalOf = (head: {
  readonly contentType: string | null
  readonly contentEncoding: string | null
  readonly contentLength: string | null
}): Refusal | null => {
  const type = head.contentType?.split(";")[0]?.trim().toLowerCase()
  if (type !== undefined && !served.has(type)) {
    const message = "send JSON lines as application/x-ndjson (or a single one as application/json)"
    return { status: 415, line: { _tag: "UnsupportedMediaType", message } }
  }
  const encoding = head.contentEncoding?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== "identity") {
    const message = "send the body as it is; compressed bodies are not read"
    return { status: 415, line: { _tag: "UnsupportedMediaType", message }, headers: { "accept-encoding": "identity" } }
  }
  if (head.contentLength !== null && Number(head.contentLength) > maxBody) {
    const { _tag, code, line, message } = new ProtocolError({ code: "TooLong", line: 1, message: bodyTooLong })
    return { status: 413, line: { _tag, code, line, message }, headers: { connection: "close" } }
  }
  return null
}
