import { Schema } from "effect"

/** No connection: no such host, refused, unreachable. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", { message: Schema.String }) {}
/** The certificate does not speak for the host; nothing was sent. */
export class Untrusted extends Schema.TaggedError<Untrusted>()("Untrusted", { message: Schema.String }) {}
/** The connection or the head of the answer took longer than it may. */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", {
  waitedFor: Schema.Literals(["connection", "answer"]),
  message: Schema.String
}) {}
/** The connection ended before the head of an answer came. */
export class Dropped extends Schema.TaggedError<Dropped>()("Dropped", { message: Schema.String }) {}
/** What came is not HTTP. */
export class NotHttp extends Schema.TaggedError<NotHttp>()("NotHttp", { message: Schema.String }) {}

/** Why an exchange brought no answer at all. An answer that broke off is an answer: see `HttpFault`. */
export class HttpFailure extends Schema.TaggedError<HttpFailure>()("HttpFailure", {
  reason: Schema.Union([Unreachable, Untrusted, TimedOut, Dropped, NotHttp])
}) {
  override get message(): string {
    return this.reason.message
  }
}

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "")

const unreachable = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ETIMEDOUT"
])

const untrusted = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/

/** What an error of node's client before the head of an answer means. `host` is the one that was asked. */
export const failureOf = (error: Error, host: string): HttpFailure => {
  const code = codeOf(error)
  if (unreachable.has(code)) {
    return new HttpFailure({ reason: new Unreachable({ message: `${host} cannot be reached (${code})` }) })
  }
  if (untrusted.test(code)) {
    return new HttpFailure({
      reason: new Untrusted({ message: `the certificate of ${host} is not to be trusted (${code})` })
    })
  }
  if (code.startsWith("HPE_")) {
    return new HttpFailure({ reason: new NotHttp({ message: `what ${host} answered is not HTTP (${code})` }) })
  }
  return new HttpFailure({
    reason: new Dropped({ message: `${host} closed the connection without an answer (${code || error.message})` })
  })
}
