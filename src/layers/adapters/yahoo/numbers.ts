/**
 * The arrays of numbers of a chart, read from the bytes. This is where the time of a decoder goes: JSON.parse converts every
 * one of up to 17 digits exactly, although nine of them tell which 32-bit float is meant.
 */
import { inverse10, power10, unwidened, widenedFrom } from "./widened.ts"

const comma = 44
const point = 46
/** Whole numbers below it are doubles. */
const exact = 9_007_199_254_740_992
const closing = 93
const latin1 = new TextDecoder("latin1")

/** Where a number ends: at a comma, the bracket or blank space. */
const endOf = (bytes: Uint8Array, start: number): number => {
  let at = start
  for (let code = bytes[at] ?? closing; code !== comma && code !== closing && code > 32; code = bytes[at] ?? closing) {
    at++
  }
  return at
}

const isBlank = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

const skipBlanks = (bytes: Uint8Array, start: number): number => {
  let at = start
  while (isBlank(bytes[at] ?? 0)) at++
  return at
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** What the fast path does not take: `null` (NaN), exponents, more digits than fit. Undefined: not a number. */
const slowNumber = (bytes: Uint8Array, start: number, end: number): number | undefined => {
  const text = latin1.decode(bytes.subarray(start, end))
  if (text === "null") return Number.NaN
  return jsonNumber.test(text) ? Number(text) : undefined
}

/** Four digits at once: their text as a little-endian word, each byte 0 to 9 after this. */
const asDigits = 0x30303030

/** Whether every byte of such a word is a digit. */
const areDigits = (word: number): boolean => (((word + 0x76767676) | word) & 0x80808080) === 0

/** 0 to 9999 from four digits. */
const valueOf = (word: number): number => {
  const pairs = Math.imul(word, 10) + (word >>> 8)
  return Math.imul(pairs & 0xff, 100) + ((pairs >>> 16) & 0xff)
}

/**
 * Reads the numbers of the array whose `[` is at `start` into `out`, `null` as NaN, and returns how many there are; -1 - i when
 * element i is no number, or when there are more than `out` holds. `prices` takes widened floats back to their decimals.
 */
export const readNumbers = (bytes: Uint8Array, start: number, prices: boolean, out: Float64Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** The last place where four bytes can be read. */
  const lastWord = bytes.length - 4
  const room = out.length
  let at = skipBlanks(bytes, start + 1)
  if (bytes[at] === closing) return 0
  for (let count = 0; ; ) {
    if (count === room) return -1 - count
    const first = at
    let code = bytes[at] ?? 0
    const negative = code === 45
    if (negative) code = bytes[++at] ?? 0
    const digitsAt = at
    let mantissa = 0
    for (; code >= 48 && code <= 57; code = bytes[++at] ?? 0) mantissa = mantissa * 10 + (code - 48)
    const whole = at - digitsAt
    let value = Number.NaN
    let done = whole > 0 && whole <= 15 && (whole === 1 || bytes[digitsAt] !== 48)
    if (code !== point) value = mantissa
    else if (done) {
      const decimalsAt = at + 1
      let word = 0
      at++
      // Eight decimals, then four, then single ones.
      let decimals = 0
      while (decimals < 12 && at <= lastWord) {
        word = view.getInt32(at, true) ^ asDigits
        if (!areDigits(word)) break
        mantissa = mantissa * 10_000 + valueOf(word)
        decimals += 4
        at += 4
      }
      for (code = bytes[at] ?? 0; code >= 48 && code <= 57; code = bytes[++at] ?? 0)
        mantissa = mantissa * 10 + (code - 48)
      decimals = at - decimalsAt
      if (decimals === 0) return -1 - count
      if (mantissa < exact) {
        value = mantissa / power10(decimals)
        if (prices && mantissa > 999_999) value = unwidened(value)
      } else if (prices && decimals <= 22) {
        const float = widenedFrom(mantissa * inverse10(decimals))
        done = !Number.isNaN(float)
        value = float
      } else done = false
    }
    if (!done || !(code === comma || code === closing || isBlank(code))) {
      at = endOf(bytes, first)
      const slow = slowNumber(bytes, first, at)
      if (slow === undefined) return -1 - count
      value = prices ? unwidened(slow) : slow
      out[count++] = value
    } else out[count++] = negative ? -value : value
    code = bytes[at] ?? 0
    if (isBlank(code)) {
      at = skipBlanks(bytes, at)
      code = bytes[at] ?? 0
    }
    if (code === closing) return count
    if (code !== comma) return -1 - count
    at++
    if ((bytes[at] ?? 0) <= 32) at = skipBlanks(bytes, at)
  }
}

/** The most elements that an array of so many bytes can have. */
export const mostElements = (length: number): number => (length >> 1) + 1
