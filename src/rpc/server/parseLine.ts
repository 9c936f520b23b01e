import { Result } from "effect"
import { type Line, maxLine } from "./LineReader.ts"
import type { Incoming } from "./RpcHost.ts"

const utf8 = new TextDecoder("utf-8", { fatal: true })

const words = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** What a client's line says, still undecoded; for the host. */
export const parseLine = (line: Line): Incoming => {
  if (line._tag === "TooLong") {
    const message = `a line has at most ${maxLine} bytes; the connection is closed`
    return { _tag: "Refused", line: line.line, code: "TooLong", message }
  }
  const text = Result.try(() => utf8.decode(line.bytes))
  if (Result.isFailure(text)) return malformed(line.line, "the line is not UTF-8")
  const value = Result.try((): unknown => JSON.parse(text.success))
  if (Result.isFailure(value)) return malformed(line.line, `the line is not JSON: ${words(value.failure)}`)
  return { _tag: "Message", line: line.line, value: value.success, bytes: line.bytes.length }
}

const malformed = (line: number, message: string): Incoming => ({
  _tag: "Refused",
  line,
  code: "MalformedLine",
  message
})
