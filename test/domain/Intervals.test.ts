/** Interval arithmetic against a model that knows nothing of intervals: a set of whole milliseconds. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Intervals from "../../src/domain/Intervals.ts"
import type { TimeRange } from "../../src/domain/TimeRange.ts"

const low = -40
const high = 60

type Bits = ReadonlyArray<boolean>

const bitsOf = (ranges: Intervals.Ranges): Bits =>
  Array.from({ length: high - low }, (_, index) =>
    ranges.some(({ start, end }) => start <= low + index && low + index < end)
  )

/** The normal form of a set, read off bit by bit. */
const rangesOf = (bits: Bits): Intervals.Ranges => {
  const ranges: Array<TimeRange> = []
  for (let i = 0; i < bits.length; i++) {
    if (bits[i] !== true || (i > 0 && bits[i - 1] === true)) continue
    let end = i
    while (bits[end] === true) end++
    ranges.push({ start: low + i, end: low + end })
  }
  return ranges
}

const combine = (a: Bits, b: Bits, f: (x: boolean, y: boolean) => boolean): Intervals.Ranges =>
  rangesOf(a.map((bit, index) => f(bit, b[index] === true)))

const instant = fc.integer({ min: low, max: high })
/** Any ranges: in no order, overlapping, touching, empty, reversed. */
const anyRanges = fc.array(fc.record({ start: instant, end: instant }), { maxLength: 12 })
const normalRanges = fc.array(fc.boolean(), { minLength: high - low, maxLength: high - low }).map(rangesOf)
const sparseRanges = anyRanges.map((ranges) => rangesOf(bitsOf(ranges)))
const ranges = fc.oneof(normalRanges, sparseRanges)

const runs = { numRuns: 2_000 }

describe("Intervals", () => {
  it("normalise gives the normal form of whatever it is given", () => {
    fc.assert(
      fc.property(anyRanges, (any) => {
        assert.deepStrictEqual(Intervals.normalise(any), rangesOf(bitsOf(any)))
      }),
      runs
    )
  })

  it("normal form stays as it is", () => {
    fc.assert(
      fc.property(ranges, (normal) => {
        assert.deepStrictEqual(Intervals.normalise(normal), normal)
      }),
      runs
    )
  })

  const binary = [
    ["union", Intervals.union, (x: boolean, y: boolean) => x || y],
    ["intersect", Intervals.intersect, (x: boolean, y: boolean) => x && y],
    ["subtract", Intervals.subtract, (x: boolean, y: boolean) => x && !y]
  ] as const
  for (const [name, operation, model] of binary) {
    it(`${name} agrees with the model, in normal form`, () => {
      fc.assert(
        fc.property(ranges, ranges, (a, b) => {
          assert.deepStrictEqual(operation(a, b), combine(bitsOf(a), bitsOf(b), model))
        }),
        runs
      )
    })
  }

  it("mergeNear fills exactly the holes that are short enough", () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: -3, max: 20 }), (normal, within) => {
        const filled = Array.from(bitsOf(normal))
        for (const hole of rangesOf(filled.map((bit) => !bit))) {
          const inside = hole.start > low && hole.end < high
          if (inside && hole.end - hole.start <= within) filled.fill(true, hole.start - low, hole.end - low)
        }
        assert.deepStrictEqual(Intervals.mergeNear(normal, within), rangesOf(filled))
      }),
      runs
    )
  })

  it("total counts the instants", () => {
    fc.assert(
      fc.property(ranges, (normal) => {
        assert.strictEqual(Intervals.total(normal), bitsOf(normal).filter(Boolean).length)
      }),
      runs
    )
  })

  it("splitBySpan cuts into the longest pieces that are not too long", () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 30 }), (normal, span) => {
        const pieces = Intervals.splitBySpan(normal, span)
        const expected = normal.flatMap(({ start, end }) =>
          Array.from({ length: Math.ceil((end - start) / span) }, (_, index) => ({
            start: start + index * span,
            end: Math.min(end, start + (index + 1) * span)
          }))
        )
        assert.deepStrictEqual(pieces, expected)
      }),
      runs
    )
  })

  it("splitBySpan with a grid cuts only on it, and as late as the span allows", () => {
    const boundaries = fc.uniqueArray(instant, { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: 30 }), boundaries, (normal, span, some) => {
        const grid = [...some, high + 1].toSorted((a, b) => a - b)
        const next = (at: number): number => grid.find((boundary) => boundary > at) ?? at + 1
        const expected: Array<TimeRange> = []
        for (const { start, end } of normal) {
          for (let from = start; from < end; ) {
            const within = grid.filter((boundary) => boundary > from && boundary <= from + span)
            const cut = end - from <= span ? end : (within.at(-1) ?? next(from))
            expected.push({ start: from, end: Math.min(end, cut) })
            from = cut
          }
        }
        assert.deepStrictEqual(Intervals.splitBySpan(normal, span, next), expected)
      }),
      runs
    )
  })

  it("splitBySpan ends for a span below a millisecond too", () => {
    const pieces = Intervals.splitBySpan([{ start: 0, end: 3 }], 0)
    assert.deepStrictEqual(pieces, [
      { start: 0, end: 1 },
      { start: 1, end: 2 },
      { start: 2, end: 3 }
    ])
  })

  it("knows instants far from 1970", () => {
    const far = 8_640_000_000_000_000
    const year = { start: -far, end: far }
    assert.deepStrictEqual(Intervals.subtract([year], [{ start: -1, end: 1 }]), [
      { start: -far, end: -1 },
      { start: 1, end: far }
    ])
    assert.strictEqual(Intervals.total([{ start: -far / 2, end: far / 2 }]), far)
  })
})

describe("the cost of interval arithmetic", () => {
  /** Ranges that count how often a bound of theirs is read, shuffled by a fixed rule. */
  const counted = (size: number, offset: number) => {
    const reads = { count: 0 }
    const made = Array.from({ length: size }, (_, index): TimeRange => {
      const start = ((index * 7_919) % size) * 10 + offset
      return {
        get start() {
          reads.count++
          return start
        },
        get end() {
          reads.count++
          return start + 6
        }
      }
    })
    return { made, reads }
  }
  const sorted = (size: number, offset: number) => {
    const { made, reads } = counted(size, offset)
    made.sort((a, b) => a.start - b.start)
    reads.count = 0
    return { made, reads }
  }

  it("normalise reads each bound some log n times", () => {
    for (const size of [1_000, 16_000]) {
      const { made, reads } = counted(size, 0)
      assert.strictEqual(Intervals.normalise(made).length, size)
      assert.isAtMost(reads.count, size * (4 * Math.log2(size) + 10))
    }
  })

  it("the others read each bound a few times, however many there are", () => {
    const perRange = (size: number): ReadonlyArray<number> => {
      const operations: ReadonlyArray<(a: Intervals.Ranges, b: Intervals.Ranges) => unknown> = [
        Intervals.union,
        Intervals.intersect,
        Intervals.subtract,
        (a) => Intervals.mergeNear(a, 2),
        (a) => Intervals.splitBySpan(a, 4),
        (a) => Intervals.total(a)
      ]
      return operations.map((operation) => {
        const a = sorted(size, 0)
        const b = sorted(size, 3)
        operation(a.made, b.made)
        return (a.reads.count + b.reads.count) / size
      })
    }
    for (const reads of [...perRange(1_000), ...perRange(16_000)]) assert.isAtMost(reads, 24)
  })

  it("one range that many cut, and many that one cuts", () => {
    for (const size of [1_000, 16_000]) {
      const { made, reads } = sorted(size, 0)
      const whole = [{ start: -10, end: size * 10 + 10 }]
      assert.strictEqual(Intervals.subtract(whole, made).length, size + 1)
      assert.strictEqual(Intervals.intersect(whole, made).length, size)
      assert.deepStrictEqual(Intervals.subtract(made, whole), [])
      assert.isAtMost(reads.count, size * 24)
    }
  })

  it("a fine grid is asked some dozen times a piece", () => {
    let asked = 0
    const second = 1_000
    const year = 365 * 86_400_000
    const pieces = Intervals.splitBySpan([{ start: 500, end: year }], 86_400_000, (at) => {
      asked++
      return (Math.floor(at / second) + 1) * second
    })
    assert.strictEqual(pieces.length, 365)
    assert.isAtMost(asked, pieces.length * 40)
  })
})
