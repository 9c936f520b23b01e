import { assert, describe, it } from "@effect/vitest"
import { retryAfter } from "../../../src/layers/http/retryAfter.ts"
import { refusalOfStatus } from "../../../src/layers/http/vendorAnswer.ts"

const now = Date.UTC(2026, 10, 29, 12)

describe("Retry-After", () => {
  const cases: ReadonlyArray<readonly [string, Record<string, string>, number | null]> = [
    ["seconds", { "retry-after": "120" }, 120_000],
    ["a fraction", { "retry-after": " 1.5 " }, 1500],
    ["zero", { "retry-after": "0" }, 0],
    ["a date, by our clock", { "retry-after": "Sun, 29 Nov 2026 12:01:00 GMT" }, 60_000],
    [
      "a date, by the vendor's clock, which is an hour ahead",
      { "retry-after": "Sun, 29 Nov 2026 13:00:30 GMT", date: "Sun, 29 Nov 2026 13:00:00 GMT" },
      30_000
    ],
    ["a date that has passed", { "retry-after": "Sun, 29 Nov 2026 11:00:00 GMT" }, 0],
    ["not longer than a week", { "retry-after": "99999999999" }, 604_800_000],
    ["absent", {}, null],
    ["empty", { "retry-after": "" }, null],
    ["negative", { "retry-after": "-5" }, null],
    ["words", { "retry-after": "soon" }, null]
  ]
  for (const [name, headers, expected] of cases) {
    it(name, () => assert.strictEqual(retryAfter(headers, now), expected))
  }
})

describe("what a status means where nothing else is said", () => {
  const cases: ReadonlyArray<readonly [number, string | null]> = [
    [200, null],
    [204, null],
    [304, null],
    [400, "Rejected"],
    [401, "NotEntitled"],
    [403, "NotEntitled"],
    [404, "NotFound"],
    [408, "Unavailable"],
    [410, "NotFound"],
    [422, "Rejected"],
    [429, "Throttled"],
    [500, "Unavailable"],
    [503, "Unavailable"],
    [504, "Unavailable"]
  ]
  for (const [status, expected] of cases) {
    it(`${status}: ${expected ?? "an answer"}`, () => {
      const reason = refusalOfStatus({ status, headers: {} }, { now, rest: 9000, said: "no" })
      assert.strictEqual(reason?._tag ?? null, expected)
    })
  }
  it("429 rests as long as the vendor says, else as long as the default; 503 that says when is a 429", () => {
    const read = (status: number, headers: Record<string, string>) =>
      refusalOfStatus({ status, headers }, { now, rest: 9000, said: "" })
    assert.deepInclude(read(429, {}), { retryAfter: 9000 })
    assert.deepInclude(read(429, { "retry-after": "3" }), { retryAfter: 3000 })
    assert.deepInclude(read(503, { "retry-after": "3" }), { _tag: "Throttled", retryAfter: 3000 })
  })
})
