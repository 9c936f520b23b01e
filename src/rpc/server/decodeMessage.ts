import type { ProtocolErrorCode } from "../contract/Border.ts"

/** The name that a client gives a call. `1` and `"1"` are different names. */
export type CallId = string | number

/** A request as the client wrote it; `payload` is undefined where it wrote none. */
export interface ClientRequest {
  readonly _tag: "Request"
  /** Null for a notification without one. */
  readonly id: CallId | null
  readonly tag: string
  readonly payload: unknown
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly isNotification: boolean
  readonly discard: boolean
}

export type ClientMessage =
  | ClientRequest
  | { readonly _tag: "Ack" | "Interrupt"; readonly requestId: CallId }
  | { readonly _tag: "Ping" | "Eof" }

/** No message: why, and the call that it names, if it names one. */
export interface NoMessage {
  readonly _tag: "NoMessage"
  readonly code: ProtocolErrorCode
  readonly id: CallId | null
  readonly message: string
}

const kinds = "Request, Ack, Interrupt, Ping and Eof"

/**
 * Reads a message that was parsed, by hand: it is done for every line. Nothing is assumed of the value; only own properties
 * count, so that a name of Object's prototype is a name like any other.
 */
export const decodeMessage = (value: unknown): ClientMessage | NoMessage => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return none(`a message is an object with a _tag; this is ${nameOf(value)}`)
  }
  const tag = own(value, "_tag")
  switch (tag) {
    case "Request":
      return request(value)
    case "Ack":
    case "Interrupt": {
      const requestId = idOf(own(value, "requestId"))
      return requestId === null ? none(`${tag} needs a requestId, a string or a number`) : { _tag: tag, requestId }
    }
    case "Ping":
    case "Eof":
      return { _tag: tag }
    default: {
      const said = typeof tag === "string" ? `${JSON.stringify(tag.slice(0, 64))} is no message` : "its _tag is missing"
      return none(`${said}; messages are ${kinds}`, idOf(own(value, "id")))
    }
  }
}

const request = (value: object): ClientRequest | NoMessage => {
  const id = idOf(own(value, "id"))
  const isNotification = own(value, "isNotification") === true
  if (id === null && !isNotification) return none("a Request needs an id, a string or a number")
  const tag = own(value, "tag")
  if (typeof tag !== "string") return none("a Request needs a tag, the name of a procedure", id)
  const headers = own(value, "headers") ?? []
  if (!areHeaders(headers)) return none("headers are a list of [name, value], both strings", id)
  const payload = own(value, "payload")
  return { _tag: "Request", id, tag, payload, headers, isNotification, discard: own(value, "discard") === true }
}

const own = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

/** JSON can spell a number that is infinite (1e999), which no answer could name. */
const idOf = (value: unknown): CallId | null =>
  typeof value === "string" || (typeof value === "number" && Number.isFinite(value)) ? value : null

const areHeaders = (value: unknown): value is ReadonlyArray<readonly [string, string]> =>
  Array.isArray(value) &&
  value.every(
    (pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string"
  )

const nameOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`

const none = (message: string, id: CallId | null = null): NoMessage => ({
  _tag: "NoMessage",
  code: "NotAMessage",
  id,
  message
})
