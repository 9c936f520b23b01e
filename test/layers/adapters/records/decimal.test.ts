import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { parseDecimal } from "../../../../src/layers/adapters/records/decimal.ts"

const read = (text: string, scale = 1): number => {
  const bytes = new TextEncoder().encode(`x${text}y`)
  return parseDecimal(bytes, 1, bytes.length - 1, scale)
}

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`))

describe("parseDecimal", () => {
  it("is the double nearest to the text, however many digits it has", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("", "-", "+"),
        digits(25),
        fc.option(digits(25), { nil: null }),
        (sign, whole, part) => {
          const text = `${sign}${whole}${part === null ? "" : `.${part}`}`
          assert.isTrue(read(text) === Number(text), `${text}: ${read(text)} is not ${Number(text)}`)
        }
      ),
      { numRuns: 3000 }
    )
  })

  it("divides by a power of ten with one rounding", () => {
    fc.assert(
      fc.property(
        digits(20),
        fc.option(digits(8), { nil: null }),
        fc.integer({ min: 0, max: 12 }),
        (whole, part, power) => {
          const text = `${whole}${part === null ? "" : `.${part}`}`
          const value = read(text, 10 ** power)
          assert.isTrue(value === Number(`${text}e-${power}`), `${text} / 1e${power}: ${value}`)
        }
      ),
      { numRuns: 3000 }
    )
  })

  it("does not multiply: 1672702 over 10000 is 167.2702, which 1672702 * 1e-4 is not", () => {
    assert.strictEqual(read("1672702", 10_000), 167.2702)
    assert.notStrictEqual(1_672_702 * 1e-4, 167.2702)
  })

  it("reads exponents, and divides by numbers that are no power of ten", () => {
    assert.strictEqual(read("1.5e3"), 1500)
    assert.strictEqual(read("15e-1", 10), 0.15)
    assert.strictEqual(read("97", 32), 3.03125)
    assert.strictEqual(read("-0"), 0)
    assert.strictEqual(read(".5"), 0.5)
    assert.strictEqual(read("5."), 5)
  })

  for (const text of [
    "",
    "-",
    ".",
    "1.2.3",
    "1,5",
    "abc",
    "0x10",
    "NaN",
    "Infinity",
    "1e",
    " 1",
    "1 ",
    "--1",
    "1_000"
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.isNaN(read(text))
      assert.isNaN(read(text, 10_000))
    })
  }
})
