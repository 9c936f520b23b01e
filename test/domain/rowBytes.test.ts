import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import type { Bar } from "../../src/domain/Bar.ts"
import { rowBytes, rowsHeader, rowWidth } from "../../src/domain/rowBytes.ts"

const bar = (ts: number, ...values: ReadonlyArray<number | null>): Bar => {
  const [open, high, low, close, volume = null, vwap = null, count = null] = values
  return { ts, open: open ?? 0, high: high ?? 0, low: low ?? 0, close: close ?? 0, volume, vwap, count }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

const hashOf = (chunks: ReadonlyArray<ReadonlyArray<Bar>>) => {
  const hash = createHash("sha256").update(rowsHeader)
  for (const chunk of chunks) hash.update(rowBytes(chunk))
  return hash.digest("hex")
}

/** Made with Python's struct.pack("<q7d", ...) and hashlib: another runtime must come to the same bytes and hashes. */
const golden: ReadonlyArray<readonly [Bar, string]> = [
  [
    bar(946944000000, 1455.22, 1469.25, 1455.22, 1469.25, 1234567890, null, null),
    "00c0427adc0000007b14ae47e1bc96400000000000f596407b14ae47e1bc96400000000000f59640000080b48065d241000000000000f87f000000000000f87f"
  ],
  [
    bar(-62135596800000, 0.1, 0.3, -0, 1e-7, null, null, null),
    "0028d3ed7cc7ffff9a9999999999b93f333333333333d33f000000000000000048afbc9af2d77a3e000000000000f87f000000000000f87f000000000000f87f"
  ],
  [
    bar(-1, -37.63, 1.7976931348623157e308, -37.63, 5e-324, 0, -0, 0),
    "ffffffffffffffff713d0ad7a3d042c0ffffffffffffef7f713d0ad7a3d042c00100000000000000000000000000000000000000000000000000000000000000"
  ],
  [
    bar(253402300799999, 1 / 3, 2 / 3, 0.30000000000000004, 0.5, 0.5, 123.456, 9007199254740991),
    "ffdb1fd277e60000555555555555d53f555555555555e53f343333333333d33f000000000000e03f000000000000e03f77be9f1a2fdd5e40ffffffffffff3f43"
  ]
]
const goldenHash = "6067d3d6eca2513368859a66714662f18229b1d81e12bf1715b41a91e1593907"
const goldenEmpty = "9ed06be74d2fc8a62d09a01f34bb1c8fc996ab4a1ad2021cde94b5506ed2503c"

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const nullable = fc.option(finite, { nil: null })
const anyBar: fc.Arbitrary<Bar> = fc.record({
  ts: fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
  open: finite,
  high: finite,
  low: finite,
  close: finite,
  volume: nullable,
  vwap: nullable,
  count: nullable
})

describe("rowBytes", () => {
  it("the bytes of a bar are those that another language makes", () => {
    for (const [row, expected] of golden) assert.strictEqual(hex(rowBytes([row])), expected)
  })

  it("the hash of no rows, and of rows in whatever chunks, is the golden one", () => {
    const rows = golden.map(([row]) => row)
    assert.strictEqual(hashOf([]), goldenEmpty)
    assert.strictEqual(hashOf([rows]), goldenHash)
    assert.strictEqual(hashOf([rows.slice(0, 1), [], rows.slice(1)]), goldenHash)
  })

  it("null is not 0, and -0 is", () => {
    const withVolume = (volume: number | null) => hex(rowBytes([bar(0, 1, 1, 1, 1, volume)]))
    assert.notStrictEqual(withVolume(null), withVolume(0))
    assert.strictEqual(withVolume(-0), withVolume(0))
  })

  it("every value comes back out of its place", () => {
    fc.assert(
      fc.property(fc.array(anyBar, { maxLength: 20 }), (bars) => {
        const view = new DataView(rowBytes(bars).buffer)
        assert.strictEqual(view.byteLength, bars.length * rowWidth)
        for (const [index, row] of bars.entries()) {
          const value = (column: number) => view.getFloat64(index * rowWidth + column * 8, true)
          const read = (column: number) => (Number.isNaN(value(column)) ? null : value(column))
          assert.strictEqual(Number(view.getBigInt64(index * rowWidth, true)), row.ts)
          const values = [row.open, row.high, row.low, row.close, row.volume, row.vwap, row.count]
          for (const [at, expected] of values.entries()) assert.isTrue(expected === read(at + 1))
        }
      })
    )
  })
})
