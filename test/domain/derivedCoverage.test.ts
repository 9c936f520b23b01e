import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type CoverageInterval, type CoverageState, isComplete } from "../../src/domain/Coverage.ts"
import { derivedCoverage, hadIn } from "../../src/domain/derivedCoverage.ts"
import { ResponseId } from "../../src/domain/Response.ts"

const covered = (id: number): CoverageState => ({ _tag: "Covered", response: ResponseId.make(id) })
const empty: CoverageState = { _tag: "Empty", response: ResponseId.make(9), recheckAfter: null }
const provisional: CoverageState = { _tag: "Provisional", response: ResponseId.make(8), until: 1 }
const closed: CoverageState = { _tag: "Closed", calendar: "XNYS" }
const missing: CoverageState = { _tag: "Missing", cause: null }

const of = (...pieces: ReadonlyArray<readonly [end: number, state: CoverageState]>): ReadonlyArray<CoverageInterval> =>
  pieces.map(([end, state], index) => ({ start: pieces[index - 1]?.[0] ?? 0, end, state }))

describe("derivedCoverage", () => {
  it("a bar is known where all that it is made of is", () => {
    const source = of([12, covered(1)], [20, covered(2)], [25, closed], [31, empty], [38, covered(3)], [40, missing])
    assert.deepStrictEqual(
      derivedCoverage(source, { start: 0, end: 40 }, 10),
      of([10, covered(1)], [20, covered(2)], [30, empty], [40, missing])
    )
  })

  it("what is not final in part is not final, what is closed in part is what the rest is", () => {
    const source = of([5, closed], [10, covered(1)], [12, covered(1)], [18, provisional], [20, closed], [30, closed])
    assert.deepStrictEqual(
      derivedCoverage(source, { start: 0, end: 30 }, 10),
      of([10, covered(1)], [20, provisional], [30, closed])
    )
  })

  it("what lies behind the source is missing", () => {
    assert.deepStrictEqual(
      derivedCoverage(of([15, covered(1)]), { start: 0, end: 40 }, 10),
      of([10, covered(1)], [40, missing])
    )
  })

  it("says of each bar what a look at every instant of it says", () => {
    const states = [covered(1), covered(2), empty, provisional, closed, missing]
    const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 25 }), fc.constantFrom(...states)), { minLength: 1 })
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 12 }), (lengths, width) => {
        let end = 0
        const source = lengths.map(([length, state]) => {
          const start = end
          end += length
          return { start, end, state }
        })
        const range = { start: 0, end: Math.ceil(end / width) * width }
        const found = derivedCoverage(source, range, width)
        assert.strictEqual(found[0]?.start, 0)
        assert.strictEqual(found.at(-1)?.end, range.end)
        const stateAt = (at: number, of: ReadonlyArray<CoverageInterval>) =>
          of.find((one) => one.start <= at && at < one.end)?.state ?? missing
        const had = hadIn(found)
        for (let cell = 0; cell < range.end; cell += width) {
          const inside = Array.from({ length: width }, (_, index) => stateAt(cell + index, source))
          const state = stateAt(cell, found)
          assert.strictEqual(isComplete(state), inside.every(isComplete))
          assert.strictEqual(
            state._tag === "Closed",
            inside.every(({ _tag }) => _tag === "Closed")
          )
          if (isComplete(state)) {
            assert.strictEqual(
              state._tag === "Provisional",
              inside.some(({ _tag }) => _tag === "Provisional")
            )
          }
          assert.strictEqual(
            had.some((one) => one.start <= cell && cell + width <= one.end),
            isComplete(state)
          )
        }
      })
    )
  })
})
