import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { canonicalJson } from "../../src/domain/CanonicalJson.ts"

const text = (value: Schema.Json) => Result.getOrThrow(canonicalJson(value))
const refusal = (value: Schema.Json) => Result.getOrThrow(Result.flip(canonicalJson(value)))
/** What a caller without types may hand over. */
const untyped = Schema.decodeUnknownSync(Schema.declare((_: unknown): _ is Schema.Json => true))

describe("C4 canonical form", () => {
  it("does not depend on the order of keys, at any depth", () => {
    assert.strictEqual(text({ b: { z: 1, a: 2 }, a: [] }), '{"a":[],"b":{"a":2,"z":1}}')
    assert.strictEqual(text({ a: [], b: { a: 2, z: 1 } }), text({ b: { z: 1, a: 2 }, a: [] }))
  })

  it("sorts keys by code point, where UTF-16 order would differ", () => {
    assert.strictEqual(text({ "\u{1f600}": 1, "\ue000": 2, é: 3, a: 4 }), '{"a":4,"é":3,"\ue000":2,"\u{1f600}":1}')
    assert.strictEqual(text({ ab: 1, a: 2, abc: 3 }), '{"a":2,"ab":1,"abc":3}')
  })

  it("keeps the order of lists", () => {
    assert.strictEqual(text([3, 1, 2]), "[3,1,2]")
    assert.notStrictEqual(text([1, 2]), text([2, 1]))
  })

  it("writes numbers in their shortest form: 1 and 1.0 are one, -0 is 0", () => {
    assert.strictEqual(
      text(JSON.parse("[1.0, 1, 1e0, -0.0, 0.1, 1e21, 1e-7, 100000000000000000000]")),
      "[1,1,1,0,0.1,1e+21,1e-7,100000000000000000000]"
    )
  })

  it("tells null from absent, and refuses undefined", () => {
    assert.strictEqual(text({ a: null }), '{"a":null}')
    assert.notStrictEqual(text({ a: null }), text({}))
    assert.strictEqual(refusal(untyped({ a: undefined })), "$.a: undefined has no canonical form")
  })

  it("keeps unicode as it is, escapes as JSON does, does not normalise", () => {
    assert.strictEqual(text('é\u0301 "q" \\ \n \u0007 \u2028'), '"é\u0301 \\"q\\" \\\\ \\n \\u0007 \u2028"')
    assert.notStrictEqual(text("\u00e9"), text("e\u0301"))
  })

  it("refuses NaN and infinities, lone surrogates, holes and classes, naming the place", () => {
    assert.strictEqual(refusal({ a: [1, Number.NaN] }), "$.a[1]: NaN has no canonical form")
    assert.strictEqual(refusal(Number.POSITIVE_INFINITY), "$: Infinity has no canonical form")
    assert.strictEqual(refusal({ a: "\ud800" }), "$.a: a string with a lone surrogate has no canonical form")
    assert.isTrue(Result.isFailure(canonicalJson({ "\ud800": 1 })))
    assert.isTrue(Result.isFailure(canonicalJson(untyped(new Array(2)))))
    assert.isTrue(Result.isFailure(canonicalJson(untyped({ at: new Date(0) }))))
    assert.isTrue(Result.isFailure(canonicalJson(untyped(1n))))
  })

  it("is JSON of the same value, and the same text for the same value", () => {
    const shuffled = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shuffled)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, item]) => [key, shuffled(item)])
            )
          : value
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = untyped(JSON.parse(JSON.stringify(value)))
        const result = canonicalJson(json)
        fc.pre(Result.isSuccess(result))
        assert.deepStrictEqual(JSON.parse(result.success), JSON.parse(JSON.stringify(json)))
        assert.strictEqual(text(untyped(shuffled(json))), result.success)
      }),
      { numRuns: 300 }
    )
  })
})
