import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as fc from "fast-check"
import { isFresh, type StoredCoverage } from "../../../src/domain/Coverage.ts"
import * as Intervals from "../../../src/domain/Intervals.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import { type Alignment, unlimited, type VendorLimits } from "../../../src/domain/VendorLimits.ts"
import * as CellGrid from "../../../src/layers/stitching/CellGrid.ts"
import { finalEnd, finalSince, openEnd } from "../../../src/layers/stitching/finality.ts"
import { draft, type PlanInput } from "../../../src/layers/stitching/planner.ts"
import { proofOf } from "../../../src/layers/stitching/proofOf.ts"
import { between, day, hour, minute, utc } from "./support.ts"

const now = utc("2024-03-06T12:20:00Z")
const response = ResponseId.make(1)

const input = (over: Partial<PlanInput> & { readonly range: TimeRange }): PlanInput => ({
  timeframe: "1h",
  policy: "cacheFirst",
  now,
  limits: { ...unlimited, timeframes: { "1h": { maxSpan: null, maxRows: null } } },
  calendar: null,
  closed: [],
  cells: null,
  coverage: [],
  inFlight: [],
  ...over
})

const covered = (range: TimeRange): StoredCoverage => ({
  ...range,
  state: { _tag: "Covered", response },
  recordedAt: 0
})

const text = (ranges: ReadonlyArray<{ readonly range: TimeRange }>) =>
  ranges.map(
    ({ range }) =>
      `${new Date(range.start).toISOString().slice(5, 16)}/${new Date(range.end).toISOString().slice(5, 16)}`
  )

describe("the planner", () => {
  it("splits what is missing at the end of what is final", () => {
    const { pieces, requests } = draft(input({ range: between("2024-03-06T10:00:00Z", "2024-03-06T13:00:00Z") }))
    assert.deepStrictEqual(text(requests), ["03-06T10:00/03-06T12:00", "03-06T12:00/03-06T13:00"])
    assert.deepStrictEqual(
      requests.map(({ final, notBefore }) => ({ final, notBefore })),
      [
        { final: true, notBefore: utc("2024-03-06T12:00:00Z") },
        { final: false, notBefore: now - unlimited.provisionalFor + 1 }
      ]
    )
    assert.strictEqual(pieces.length, 1)
    assert.strictEqual(pieces[0]?.requests, 2)
  })

  it("asks for nothing before the vendor's first date and nothing beyond the open bar, and says so", () => {
    const earliest = utc("2024-03-01T00:00:00Z")
    const { pieces, requests } = draft(
      input({
        range: between("2024-02-01T00:00:00Z", "2024-04-01T00:00:00Z"),
        limits: { ...unlimited, earliest }
      })
    )
    assert.deepStrictEqual(text(requests), ["03-01T00:00/03-06T12:00", "03-06T12:00/03-06T13:00"])
    assert.deepStrictEqual(
      pieces.map(({ from, state }) => [from, state._tag === "Missing" ? (state.cause?.tag ?? null) : state._tag]),
      [
        ["store", "BeforeEarliest"],
        ["vendor", null],
        ["store", "NotYet"]
      ]
    )
  })

  it("merges near holes and keeps to spans and rows", () => {
    const coverage = [
      covered(between("2024-03-01T04:00:00Z", "2024-03-01T05:00:00Z")),
      covered(between("2024-03-01T08:00:00Z", "2024-03-01T20:00:00Z"))
    ]
    const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
    const limits: VendorLimits = { ...unlimited, mergeWithin: 2 * hour }
    assert.deepStrictEqual(text(draft(input({ range, coverage, limits })).requests), [
      "03-01T00:00/03-01T08:00",
      "03-01T20:00/03-02T00:00"
    ])
    const bounded = { ...limits, timeframes: { "1h": { maxSpan: 5 * hour + minute, maxRows: 3 } } }
    assert.deepStrictEqual(text(draft(input({ range, coverage, limits: bounded })).requests), [
      "03-01T00:00/03-01T03:00",
      "03-01T03:00/03-01T06:00",
      "03-01T06:00/03-01T08:00",
      "03-01T20:00/03-01T23:00",
      "03-01T23:00/03-02T00:00"
    ])
  })

  it("makes one request a file, whole, also of the file that is still growing", () => {
    const cells = Option.getOrThrow(CellGrid.make({ unit: "day", zone: "America/New_York" }, "1h"))
    const { requests } = draft(input({ range: between("2024-03-05T12:00:00Z", "2024-03-06T10:00:00Z"), cells }))
    assert.deepStrictEqual(text(requests), ["03-05T05:00/03-06T05:00", "03-06T05:00/03-06T13:00"])
    assert.deepStrictEqual(
      requests.map(({ final }) => final),
      [true, false]
    )
  })

  it("counts the rows of months, which are not of one length", () => {
    const limits = { ...unlimited, timeframes: { "1mo": { maxSpan: null, maxRows: 12 } } } satisfies VendorLimits
    const range = between("2000-01-01T00:00:00Z", "2010-01-01T00:00:00Z")
    const { requests } = draft(input({ range, limits, timeframe: "1mo" }))
    for (const { range: asked } of requests) {
      let rows = 0
      for (let at = asked.start; at < asked.end; at = Timeframe.periodEnd("1mo", at)) rows++
      assert.isAtMost(rows, 12)
    }
  })

  it("believes no and nothing until they run out, and then wants an answer younger than that", () => {
    const range = between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")
    const states = (recheckAfter: number) =>
      draft(input({ range, coverage: [{ ...range, state: { _tag: "Empty", response, recheckAfter }, recordedAt: 0 }] }))
    assert.deepStrictEqual(states(now + 1).requests, [])
    assert.strictEqual(states(now).requests[0]?.notBefore, now)
    const refused = { ...range, state: { _tag: "NotFound" as const, response, until: now + 1 }, recordedAt: 0 }
    assert.deepStrictEqual(draft(input({ range, coverage: [refused] })).requests, [])
    assert.strictEqual(draft(input({ range, coverage: [refused], policy: "force" })).requests.length, 1)
  })

  it("waits for what is in flight and asks for the rest", () => {
    const inFlight = [{ id: "flight-1", range: between("2024-03-01T06:00:00Z", "2024-03-01T12:00:00Z") }]
    const { pieces, requests } = draft(
      input({ range: between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"), inFlight })
    )
    assert.deepStrictEqual(text(requests), ["03-01T00:00/03-01T06:00", "03-01T12:00/03-02T00:00"])
    assert.deepStrictEqual(
      pieces.map(({ state }) => state._tag),
      ["Missing", "Pending", "Missing"]
    )
  })

  const zones = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]
  const alignments = fc.record({
    unit: fc.constantFrom("day" as const, "month" as const, "year" as const),
    zone: fc.constantFrom(...zones)
  })

  it("cells leave no instant out", () => {
    fc.assert(
      fc.property(alignments, fc.integer({ min: utc("1995-01-01"), max: utc("2030-01-01") }), (alignment, instant) => {
        const cells = Option.getOrThrow(CellGrid.make(alignment, "1m"))
        const start = cells.start(instant)
        const next = cells.next(instant)
        assert.isTrue(start <= instant && instant < next)
        assert.strictEqual(cells.start(next), next)
        assert.strictEqual(cells.next(start), next)
        assert.strictEqual(cells.start(next - 1), start)
      })
    )
  })

  it("cells go forward where the clocks go back just after midnight", () => {
    const cells = Option.getOrThrow(CellGrid.make({ unit: "day", zone: "America/St_Johns" }, "1m"))
    for (let instant = utc("1992-10-24"); instant < utc("1992-10-27"); instant += 7 * minute) {
      assert.isAbove(cells.next(instant), instant)
    }
  })

  it("an unknown zone has no cells", () => {
    assert.isTrue(Option.isNone(CellGrid.make({ unit: "day", zone: "Mars/Olympus" }, "1m")))
  })

  const timeframes = fc.constantFrom<Timeframe.Timeframe>("1m", "1h", "4h", "1d", "1w", "1mo")

  it("what is final is the same from both sides", () => {
    fc.assert(
      fc.property(
        timeframes,
        fc.integer({ min: utc("2020-01-01"), max: utc("2021-01-01") }),
        fc.nat(3 * day),
        fc.boolean(),
        (timeframe, end, finalityDelay, stampsOnGrid) => {
          const limits = { finalityDelay, stampsOnGrid }
          const since = finalSince(timeframe, end, limits, null)
          assert.isAtLeast(finalEnd(timeframe, since, limits, null), end)
          assert.isBelow(finalEnd(timeframe, since - 1, limits, null), end)
        }
      )
    )
  })

  it("an answer proves what was final when it was asked for, and nothing of the future", () => {
    fc.assert(
      fc.property(timeframes, fc.nat(40 * day), fc.nat(40 * day), fc.nat(2 * day), (timeframe, back, length, delay) => {
        const start = Timeframe.floor(timeframe, now - back)
        const range = { start, end: start + length + 1 }
        const limits = { ...unlimited, finalityDelay: delay }
        const proofs = proofOf({
          timeframe,
          limits,
          calendar: null,
          range,
          response,
          askedAt: now,
          refusal: null,
          rows: 1
        })
        for (const { end, start: from, state } of proofs) {
          assert.isBelow(from, end)
          if (state._tag === "Covered") assert.isAtMost(end, finalEnd(timeframe, now, limits, null))
          else assert.strictEqual(state._tag, "Provisional")
        }
        const whole = Intervals.normalise(proofs)
        const end = Math.min(range.end, openEnd(timeframe, now, null))
        assert.deepStrictEqual(whole, start < end ? [{ start, end }] : [])
      })
    )
  })

  const limitsOf = fc.record({
    maxSpan: fc.option(fc.integer({ min: 1, max: 3 * day })),
    maxRows: fc.option(fc.integer({ min: 1, max: 50 })),
    mergeWithin: fc.constantFrom(0, 0, 2 * hour),
    alignment: fc.option(alignments, { freq: 3 }),
    earliest: fc.option(fc.integer({ min: now - 20 * day, max: now })),
    finalityDelay: fc.constantFrom(0, 15 * minute, 2 * hour),
    stampsOnGrid: fc.boolean()
  })
  const states = fc.constantFrom<StoredCoverage["state"]>(
    { _tag: "Covered", response },
    { _tag: "Empty", response, recheckAfter: null },
    { _tag: "Empty", response, recheckAfter: now - 1 },
    { _tag: "Provisional", response, until: now - 1 },
    { _tag: "Provisional", response, until: now + 1 },
    { _tag: "NotFound", response, until: now + 1 },
    { _tag: "NotEntitled", response, until: now - 1 }
  )
  const hours = fc.integer({ min: -480, max: 48 })
  const stored = fc.array(fc.tuple(hours, states), { maxLength: 12 }).map((cuts): ReadonlyArray<StoredCoverage> => {
    const sorted = [...new Map(cuts).entries()].sort(([a], [b]) => a - b)
    const at = Timeframe.floor("1h", now)
    return sorted.flatMap(([from, state], index) => {
      const to = sorted[index + 1]?.[0]
      return to === undefined || index % 3 === 2
        ? []
        : [{ start: at + from * hour, end: at + to * hour, state, recordedAt: 0 }]
    })
  })

  it("C33 X3 pieces cover the range exactly; requests ascend, keep to every limit, and bring all that is missing", () => {
    fc.assert(
      fc.property(
        limitsOf,
        stored,
        hours,
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom("cacheFirst" as const, "refresh" as const, "force" as const),
        (drawn, coverage, from, length, policy) => {
          const { maxRows, maxSpan } = drawn
          const limits: VendorLimits = { ...unlimited, ...drawn, timeframes: { "1h": { maxRows, maxSpan } } }
          const start = Timeframe.floor("1h", now) + from * hour
          const range = { start, end: start + length * hour }
          const alignment: Alignment | null = drawn.alignment
          const cells = alignment === null ? null : Option.getOrThrow(CellGrid.make(alignment, "1h"))
          const known = coverage
            .map((interval) => ({
              ...interval,
              start: Math.max(interval.start, range.start),
              end: Math.min(interval.end, range.end)
            }))
            .filter((interval) => interval.start < interval.end)
          const { pieces, requests } = draft(input({ range, limits, coverage: known, cells, policy }))

          let at = range.start
          for (const piece of pieces) {
            assert.strictEqual(piece.start, at)
            assert.isBelow(piece.start, piece.end)
            at = piece.end
          }
          assert.strictEqual(at, range.end)

          let last = -Infinity
          for (const { final, range: asked } of requests) {
            assert.isAtLeast(asked.start, last)
            last = asked.end
            assert.isAtLeast(asked.start, drawn.earliest ?? -Infinity)
            assert.isAtMost(asked.end, openEnd("1h", now, null))
            assert.isAtMost(asked.end - asked.start, Math.max(hour, maxSpan ?? Infinity))
            assert.isAtMost(asked.end - asked.start, (maxRows ?? Infinity) * hour)
            if (cells !== null) assert.isAtMost(asked.end, cells.next(asked.start))
            assert.strictEqual(final, asked.end <= finalEnd("1h", now, limits, null))
          }

          const served = known.filter(
            ({ state }) =>
              policy !== "force" && isFresh(state, now) && !(policy === "refresh" && state._tag === "Provisional")
          )
          const bound = drawn.earliest ?? -Infinity
          const first = drawn.stampsOnGrid && drawn.earliest !== null ? Timeframe.ceil("1h", drawn.earliest) : bound
          const missing = Intervals.subtract(
            Intervals.intersect([range], [{ start: first, end: openEnd("1h", now, null) }]),
            Intervals.normalise(served)
          )
          const wanted = Intervals.normalise(requests.map((request) => request.range))
          assert.deepStrictEqual(Intervals.subtract(missing, wanted), [], "all that is missing is asked for")
          if (drawn.mergeWithin === 0 && cells === null) {
            assert.strictEqual(Intervals.total(wanted), Intervals.total(missing), "and nothing else")
          }
        }
      ),
      { numRuns: 500 }
    )
  })
})
