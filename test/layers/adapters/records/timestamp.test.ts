import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import fc from "fast-check"
import * as Timestamp from "../../../../src/layers/adapters/records/timestamp.ts"

const read = (format: string, text: string, midnight: number | null = null) => {
  const reader = Timestamp.make(format, midnight)
  if (Result.isFailure(reader)) return { problem: reader.failure }
  const bytes = new TextEncoder().encode(`<${text}>`)
  const value = reader.success.read(bytes, 1, bytes.length - 1)
  return { value, local: reader.success.local }
}

const instant = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2100, 0, 1) })

describe("timestamp", () => {
  it("iso: reads every instant that toISOString writes, with and without its parts", () => {
    fc.assert(
      fc.property(instant, (at) => {
        const text = new Date(at).toISOString()
        assert.deepStrictEqual(read("iso", text), { value: at, local: false })
        assert.deepStrictEqual(read("iso", text.slice(0, -1)), { value: at, local: true })
        assert.deepStrictEqual(read("iso", text.slice(0, 19).replace("T", " ")), {
          value: Math.floor(at / 1000) * 1000,
          local: true
        })
        assert.deepStrictEqual(read("iso", text.slice(0, 10)), { value: Date.parse(text.slice(0, 10)), local: true })
      })
    )
  })

  it("iso: an offset counts, in each of its spellings", () => {
    for (const text of ["2019-01-02T09:30:00-05:00", "2019-01-02T09:30-0500", "2019-01-02T09:30:00.000000-05"]) {
      assert.deepStrictEqual(read("iso", text), { value: Date.parse("2019-01-02T14:30Z"), local: false })
    }
    assert.deepStrictEqual(read("iso", "2019-01-02T09:30+05:30"), {
      value: Date.parse("2019-01-02T04:00Z"),
      local: false
    })
  })

  for (const text of [
    "",
    "2019-1-2",
    "2019-13-01",
    "2019-02-29",
    "2019-01-02T",
    "2019-01-02T25:00",
    "2019-01-02T09:30:00.0001",
    "2019-01-02T09:30x",
    "2019-01-02T09:30Zx",
    "20190102",
    "null"
  ]) {
    it(`iso: refuses ${JSON.stringify(text)}`, () => {
      assert.isNaN(read("iso", text).value)
    })
  }

  it("epochs: seconds, milliseconds, microseconds and nanoseconds of any instant", () => {
    fc.assert(
      fc.property(instant, (at) => {
        assert.deepStrictEqual(read("epoch-millis", String(at)), { value: at, local: false })
        assert.deepStrictEqual(read("epoch-micros", String(BigInt(at) * 1000n)), { value: at, local: false })
        assert.deepStrictEqual(read("epoch-nanos", String(BigInt(at) * 1_000_000n)), { value: at, local: false })
        const seconds = Math.trunc(at / 1000)
        assert.isTrue(read("epoch-seconds", String(seconds)).value === seconds * 1000)
      })
    )
    assert.strictEqual(read("epoch-seconds", "1546421400.25").value, 1_546_421_400_250)
  })

  it("epochs: what is no whole millisecond is refused, never rounded", () => {
    assert.isNaN(read("epoch-nanos", "1546421400000000001").value)
    assert.isNaN(read("epoch-micros", "1546421400000001").value)
    assert.isNaN(read("epoch-seconds", "1546421400.0001").value)
    for (const text of ["", "-", "1.5", "1e9", "12345678901234567890"]) assert.isNaN(read("epoch-millis", text).value)
  })

  it("patterns: the ones in use", () => {
    const at = (text: string) => ({ value: Date.parse(text), local: true })
    assert.deepStrictEqual(read("yyyyMMdd HH:mm", "20131007 09:31"), at("2013-10-07T09:31Z"))
    assert.deepStrictEqual(read("dd/MM/yyyy", "07/10/2013"), at("2013-10-07T00:00Z"))
    assert.deepStrictEqual(read("M/d/yyyy H:mm", "1/12/2013 9:05"), at("2013-01-12T09:05Z"))
    assert.deepStrictEqual(read("MMM d yyyy", "Jan 3 2000"), at("2000-01-03T00:00Z"))
    assert.deepStrictEqual(read("yyyyMMddTHHmmss.SSS", "20131007T093105.250"), at("2013-10-07T09:31:05.250Z"))
    for (const text of ["20131007", "20131307 09:31", "20130229 00:00", "20131007 24:00", "20131007 09:31 "]) {
      assert.isNaN(read("yyyyMMdd HH:mm", text).value)
    }
  })

  it("patterns: one that gives no date, or has an unknown letter, is refused with the letter", () => {
    assert.match(read("HH:mm", "x").problem ?? "", /needs yyyy, MM/)
    assert.match(read("yyyy-MM-DD", "x").problem ?? "", /has D;/)
    assert.match(read("yy-MM-dd", "x").problem ?? "", /has y;/)
  })

  it("millis-of-day counts from the midnight of the file's date, and needs one", () => {
    const midnight = Date.parse("2013-10-07T00:00Z")
    assert.deepStrictEqual(read("millis-of-day", "34200000", midnight), {
      value: Date.parse("2013-10-07T09:30Z"),
      local: true
    })
    assert.match(read("millis-of-day", "1").problem ?? "", /needs a path with a day/)
  })
})
