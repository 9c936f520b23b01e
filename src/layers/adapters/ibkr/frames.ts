/**
 * One message as it is on the wire: four bytes of length, big-endian, then fields of UTF-8, each with a NUL behind it. The first field
 * is the number of the kind of message, except in the gateway's very first, which begins with its version.
 */

/** What a message is, by its number; only those that this adapter reads itself. */
export const messageIds = {
  tickPrice: 1,
  tickSize: 2,
  orderStatus: 3,
  error: 4,
  openOrder: 5,
  contractData: 10,
  historicalData: 17,
  bondContractData: 18,
  optionComputation: 21,
  contractDataEnd: 52,
  openOrderEnd: 53,
  marketDataType: 58,
  optionParameters: 75,
  optionParametersEnd: 76,
  symbolSamples: 79,
  headTimestamp: 88,
  historicalTicks: 96,
  historicalTicksBidAsk: 97,
  historicalTicksLast: 98,
  completedOrder: 101,
  completedOrdersEnd: 102
} as const

export const headerSize = 4

const zero = 48

/** The whole number that a field at `at` is, without a sign; -1 where it is none or longer than nine digits. */
const numberAt = (frame: Uint8Array, at: number): number => {
  let value = 0
  for (let index = at; index < frame.length && index < at + 10; index++) {
    const byte = frame[index] ?? 0
    if (byte === 0) return index === at ? -1 : value
    const digit = byte - zero
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return -1
}

/** The number of a frame's kind of message; -1 where its first field is no number. `frame` begins with its length. */
export const messageIdOf = (frame: Uint8Array): number => numberAt(frame, headerSize)

const nextField = (frame: Uint8Array, at: number): number => {
  const end = frame.indexOf(0, at)
  return end < 0 ? frame.length : end + 1
}

/** In which field a message says what request it answers. Those that are not here say it nowhere, or are never asked by request. */
const requestField: Readonly<Record<number, number>> = {
  1: 2,
  2: 2,
  4: 2,
  10: 1,
  12: 2,
  13: 2,
  17: 1,
  18: 1,
  21: 1,
  45: 2,
  46: 2,
  50: 2,
  52: 2,
  57: 2,
  58: 2,
  63: 2,
  64: 2,
  71: 2,
  72: 2,
  73: 2,
  74: 2,
  75: 1,
  76: 1,
  79: 1,
  81: 1,
  83: 1,
  84: 1,
  86: 1,
  87: 1,
  88: 1,
  90: 1,
  94: 1,
  95: 1,
  96: 1,
  97: 1,
  98: 1,
  99: 1
}

/** The request that a frame answers; -1 where it names none. */
export const requestIdOf = (frame: Uint8Array, messageId: number): number => {
  const field = requestField[messageId]
  if (field === undefined) return -1
  let at = headerSize
  for (let index = 0; index < field; index++) at = nextField(frame, at)
  return numberAt(frame, at)
}

/** What comes of subscriptions: prices, sizes and the like, books, bars, trades, headlines, and what is of an account. */
const ofSubscriptions = new Set([1, 2, 12, 13, 14, 21, 45, 46, 50, 58, 71, 72, 73, 74, 84, 94, 95, 99])

export const isOfSubscription = (messageId: number): boolean => ofSubscriptions.has(messageId)

const utf8 = new TextDecoder()

/** The fields of a frame, the number of its kind among them. */
export const fieldsOf = (frame: Uint8Array): ReadonlyArray<string> => {
  const fields = utf8.decode(frame.subarray(headerSize)).split("\0")
  fields.pop()
  return fields
}

/** A frame of fields, as a gateway sends it. */
export const frameOf = (fields: ReadonlyArray<string | number>): Uint8Array => {
  const payload = new TextEncoder().encode(fields.map((field) => `${field}\0`).join(""))
  const frame = new Uint8Array(headerSize + payload.length)
  new DataView(frame.buffer).setUint32(0, payload.length)
  frame.set(payload, headerSize)
  return frame
}

/** The text of an error: what is outside ASCII is written `\uXXXX`. */
export const unescaped = (text: string): string =>
  text.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
