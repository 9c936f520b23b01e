/**
 * One binary form of bars, for hashing: whoever has the same rows, in whatever language and from whatever file, computes the same
 * sha256.
 *
 * The text that is hashed is the 17 bytes `tapestry.rows.v1\n` and then 64 bytes a bar, in the order of the rows: `ts` as a signed
 * 64-bit integer (UTC epoch milliseconds), then open, high, low, close, volume, vwap and count as IEEE 754 doubles, all little
 * endian, with nothing between them. A value that is null is the quiet NaN 0x7ff8000000000000, which no value can be since bars
 * hold finite numbers only; -0 is written as 0. In Python: `struct.pack("<q7d", ...)` with `float("nan")` for null.
 */
import type { Bar } from "./Bar.ts"

/** Bytes of one bar. */
export const rowWidth = 64

/** What a hash over rows begins with. A change of the form makes a new version, never another meaning of this one. */
export const rowsHeader: Uint8Array = Uint8Array.from("tapestry.rows.v1\n", (character) => character.charCodeAt(0))

const high32 = 2 ** 32

const write = (view: DataView, at: number, bar: Bar): void => {
  view.setUint32(at, bar.ts >>> 0, true)
  view.setInt32(at + 4, Math.floor(bar.ts / high32), true)
  // Adding 0 makes -0 the 0 that it equals.
  view.setFloat64(at + 8, bar.open + 0, true)
  view.setFloat64(at + 16, bar.high + 0, true)
  view.setFloat64(at + 24, bar.low + 0, true)
  view.setFloat64(at + 32, bar.close + 0, true)
  writeNullable(view, at + 40, bar.volume)
  writeNullable(view, at + 48, bar.vwap)
  writeNullable(view, at + 56, bar.count)
}

/** The bits are written out: which NaN an engine stores for `NaN` is its own affair. */
const writeNullable = (view: DataView, at: number, value: number | null): void => {
  if (value !== null) {
    view.setFloat64(at, value + 0, true)
  } else {
    view.setUint32(at, 0, true)
    view.setUint32(at + 4, 0x7ff80000, true)
  }
}

/**
 * The bytes of these bars, without the header: a list may be hashed chunk by chunk, `rowsHeader` first. The bars are finite (see
 * `defectOf`) and the caller's to order.
 */
export const rowBytes = (bars: ReadonlyArray<Bar>): Uint8Array => {
  const bytes = new Uint8Array(bars.length * rowWidth)
  const view = new DataView(bytes.buffer)
  for (const [index, bar] of bars.entries()) write(view, index * rowWidth, bar)
  return bytes
}
