const exactPowers: ReadonlyArray<number> = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))
const shape = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,4}))?$/
const latin1 = new TextDecoder("latin1")

/**
 * The double nearest to the decimal in `bytes[start, end)` divided by `scale` (a whole number above 0); NaN when the bytes are
 * not a plain decimal. Digits are gathered into a whole number below 2^53 and divided once by a whole number, which rounds
 * correctly; what does not fit goes through the runtime's own conversion. Never multiplies by a fraction: 1e-4 is no double.
 */
export const parseDecimal = (bytes: Uint8Array, start: number, end: number, scale: number): number => {
  let at = start
  let negative = false
  const first = bytes[at]
  if (first === 45 || first === 43) {
    negative = first === 45
    at++
  }
  let mantissa = 0
  let digits = 0
  let decimals = 0
  let seen = 0
  let pointed = false
  for (; at < end; at++) {
    const code = bytes[at] ?? 0
    if (code >= 48 && code <= 57) {
      seen++
      mantissa = mantissa * 10 + (code - 48)
      if (mantissa > 0) digits++
      if (pointed) decimals++
    } else if (code === 46 && !pointed) {
      pointed = true
    } else {
      return slowDecimal(bytes, start, end, scale)
    }
  }
  if (seen === 0) return Number.NaN
  const power = exactPowers[decimals]
  if (digits > 15 || power === undefined || power * scale > Number.MAX_SAFE_INTEGER) {
    return power !== undefined && mantissa === 0 ? 0 : slowDecimal(bytes, start, end, scale)
  }
  if (mantissa === 0) return 0
  const value = mantissa / (power * scale)
  return negative ? -value : value
}

const slowDecimal = (bytes: Uint8Array, start: number, end: number, scale: number): number => {
  const text = latin1.decode(bytes.subarray(start, end))
  const match = shape.exec(text)
  if (match === null) return Number.NaN
  if (scale === 1) return Number(text)
  const power = Math.log10(scale)
  if (Number.isInteger(power)) {
    const exponent = match[1] === undefined ? 0 : Number(match[1])
    const digits = match[1] === undefined ? text : text.slice(0, text.search(/[eE]/))
    return Number(`${digits}e${exponent - power}`)
  }
  return Number(text) / scale
}
