/** A reader that remembers what it read says what one says that does not. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import fc from "fast-check"
import { parseInstant } from "../../../src/domain/Instant.ts"
import { join } from "../../../src/domain/records/EpochNanos.ts"
import { instantReader, isoNanos } from "../../../src/domain/records/instantText.ts"

const two = (value: number) => String(value).padStart(2, "0")
/** Among them days, times and forms that there are not. */
const texts = fc
  .record({
    year: fc.constantFrom("0001", "1969", "2024", "2025", "9999"),
    month: fc.constantFrom(0, 1, 2, 12, 13),
    date: fc.constantFrom(1, 28, 29, 31),
    hour: fc.constantFrom(0, 9, 23, 24, 25),
    minute: fc.constantFrom(0, 30, 59, 60),
    second: fc.constantFrom(0, 1, 59, 60),
    mark: fc.constantFrom("T", "T", "T", " "),
    zone: fc.constantFrom("Z", "Z", "Z", "+02:00", "", "z")
  })
  .map(
    ({ date, hour, mark, minute, month, second, year, zone }) =>
      `${year}-${two(month)}-${two(date)}${mark}${two(hour)}:${two(minute)}:${two(second)}${zone}`
  )

describe("instantReader", () => {
  it("says of each of many texts what it would say of it alone", () => {
    let instants = 0
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 40 }), (all) => {
        const read = instantReader()
        for (const text of [...all, ...all]) {
          const alone = parseInstant(text)
          if (Result.isSuccess(alone)) instants++
          assert.deepStrictEqual(
            Result.map(read(text), ({ millis }) => millis),
            alone,
            text
          )
        }
      }),
      { numRuns: 500 }
    )
    assert.isAbove(instants, 100)
  })

  it("keeps the nanoseconds of instants of one day, before 1970, too", () => {
    const read = instantReader()
    const cases: ReadonlyArray<readonly [text: string, millis: number, nanos: number]> = [
      ["1969-12-31T23:59:58Z", -2_000, 0],
      ["1969-12-31T23:59:59.123456789Z", -877, 456_789],
      ["1969-12-31T23:59:59.1Z", -900, 0],
      ["1969-12-31T00:00:00,000000001Z", -86_400_000, 1]
    ]
    for (const [text, millis, nanos] of cases) assert.deepStrictEqual(read(text), Result.succeed({ millis, nanos }))
  })

  it("writes every instant of 64 bits so that it is read back, in any order", () => {
    const read = instantReader()
    const nanos = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    const near = fc.bigInt({ min: -3_000_000_000n, max: 3_000_000_000n })
    fc.assert(
      fc.property(fc.oneof(nanos, near), (instant) => {
        const text = isoNanos(instant)
        assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
        assert.deepStrictEqual(Result.map(read(text), join), Result.succeed(instant))
      }),
      { numRuns: 1_000 }
    )
  })
})
