import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { documentOf } from "../../src/programs/failure/Failure.ts"
import { UsageError } from "../../src/programs/failure/UsageError.ts"
import { lastEnd, rangeOf } from "../../src/programs/flags/RangeFlags.ts"
import { AdapterRegistryError, UnknownVendor } from "../../src/services/AdapterRegistry.ts"
import { StitchingCacheError } from "../../src/services/StitchingCache.ts"

const day = 86_400_000
const none = { from: Option.none<number>(), to: Option.none<number>(), last: Option.none<number>() }
const now = Date.UTC(2024, 4, 15, 14, 37)

describe("ranges of the command line", () => {
  it("C43: --last ends at the start of the current bar's day, whatever the hour", () => {
    assert.strictEqual(lastEnd("1m", now), Date.UTC(2024, 4, 15))
    assert.strictEqual(lastEnd("1d", now), Date.UTC(2024, 4, 15))
    assert.strictEqual(lastEnd("1w", now), Date.UTC(2024, 4, 13))
    assert.strictEqual(lastEnd("3mo", now), Date.UTC(2024, 3, 1))
    assert.strictEqual(lastEnd("1m", Date.UTC(2024, 4, 15, 23, 59)), lastEnd("1m", Date.UTC(2024, 4, 15, 0, 1)))
  })

  it.effect("--last, --from alone, and both", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      assert.deepStrictEqual(yield* rangeOf({ ...none, last: Option.some(30 * day) }, "1d"), {
        start: Date.UTC(2024, 3, 15),
        end: Date.UTC(2024, 4, 15)
      })
      assert.deepStrictEqual(yield* rangeOf({ ...none, from: Option.some(day) }, "1d"), { start: day, end: now })
      assert.deepStrictEqual(yield* rangeOf({ ...none, from: Option.some(0), to: Option.some(day) }, "1d"), {
        start: 0,
        end: day
      })
    })
  )

  it.effect("what cannot be meant is wrong usage", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      for (const input of [
        none,
        { ...none, to: Option.some(day) },
        { ...none, from: Option.some(day), to: Option.some(0) },
        { ...none, from: Option.some(day), to: Option.some(day) },
        { ...none, from: Option.some(now + 1) },
        { ...none, last: Option.some(day), from: Option.some(0) }
      ]) {
        assert.instanceOf(yield* Effect.flip(rangeOf(input, "1d")), UsageError)
      }
    })
  )
})

describe("the error document", () => {
  const registry = new AdapterRegistryError({ reason: new UnknownVendor({ vendor: "x", known: ["sample"] }) })

  it("names the same cause the same, whichever service it came through", () => {
    const direct = documentOf(Cause.fail(registry))
    assert.deepStrictEqual(direct, {
      error: {
        _tag: "AdapterRegistryError",
        reason: "UnknownVendor",
        message: "no vendor named x; known: sample"
      }
    })
    assert.deepStrictEqual(documentOf(Cause.fail(new StitchingCacheError({ reason: registry }))), direct)
  })

  it("a defect says where its trace is", () => {
    const { error } = documentOf(Cause.die(new Error("boom\n  at line 2")))
    assert.deepStrictEqual(error, {
      _tag: "InternalError",
      reason: "Defect",
      message: "internal error: boom at line 2 (run it again with --log-level debug for the trace)"
    })
  })
})
