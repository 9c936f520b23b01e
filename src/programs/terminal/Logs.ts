/**
 * The log, on standard error: lines of key=value where a person looks on, one JSON object a line everywhere else. Annotations
 * (`call`, `procedure`, `vendor`) stand beside the message under their own names.
 *
 * A log that cannot be written is dropped: a pipe whose reader has gone, or a full disk, is no reason for a server to stop.
 */
import { Cause, Effect, Formatter, Layer, Logger, References } from "effect"
import { Output } from "./Output.ts"

/** Keys of the line itself; an annotation of such a name gets an underscore behind it. */
const own = new Set(["time", "level", "message", "cause", "spans"])

const textOf = (value: unknown): string => (typeof value === "string" ? value : Formatter.formatJson(value))

const jsonLine = Logger.make(({ cause, date, fiber, logLevel, message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const line: Record<string, unknown> = {
    time: date.toISOString(),
    level: logLevel.toLowerCase(),
    message: parts.map(textOf).join(" ")
  }
  for (const [key, value] of Object.entries(fiber.getRef(References.CurrentLogAnnotations))) {
    line[own.has(key) ? `${key}_` : key] = value
  }
  if (cause.reasons.length > 0) line.cause = Cause.pretty(cause)
  return Formatter.formatJson(line)
})

/** By what standard error is. */
export const layer: Layer.Layer<never, never, Output> = Layer.unwrap(
  Effect.gen(function* () {
    const { errorTerminal } = yield* Output
    return Logger.layer([Logger.withConsoleError(errorTerminal.isTerminal ? Logger.formatLogFmt : jsonLine)])
  })
)
