import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { contains, format, span, TimeRange } from "../../src/domain/TimeRange.ts"

const range: TimeRange = { start: Date.UTC(2019, 0, 2), end: Date.UTC(2019, 1, 1) }

describe("TimeRange", () => {
  it("is half-open", () => {
    assert.isTrue(contains(range, range.start))
    assert.isTrue(contains(range, range.end - 1))
    assert.isFalse(contains(range, range.end))
    assert.isFalse(contains(range, range.start - 1))
    assert.strictEqual(span(range), 30 * 86_400_000)
  })

  it("prints as an ISO 8601 interval", () => {
    assert.strictEqual(format(range), "2019-01-02T00:00:00.000Z/2019-02-01T00:00:00.000Z")
  })

  it("refuses empty and reversed ranges, and parts of a millisecond", () => {
    const decode = Schema.decodeUnknownResult(TimeRange)
    assert.isTrue(Result.isSuccess(decode({ start: -1, end: 0 })))
    for (const [start, end] of [
      [5, 5],
      [6, 5],
      [0.5, 2],
      [0, Number.POSITIVE_INFINITY]
    ]) {
      assert.isTrue(Result.isFailure(decode({ start, end })), `${start} ${end}`)
    }
  })
})
