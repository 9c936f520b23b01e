/**
 * A vendor that splits in the middle of concurrent reads: every answer is what the vendor's whole history was at one instant,
 * never of two; and when all is quiet it is what it is now.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { Bar } from "../../../src/domain/Bar.ts"
import { isComplete } from "../../../src/domain/Coverage.ts"
import { canonical, type SeriesKey } from "../../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { type RangeAnswer, StitchingCache } from "../../../src/services/StitchingCache.ts"
import { barsOf, fresh, hour, minute, moving, settled, utc } from "./support.ts"

const begin = utc("2024-03-06T12:00:00Z")

interface Read {
  readonly from: number
  readonly length: number
  /** When it begins, after the one before. */
  readonly after: number
  /** When it is left; null: never. */
  readonly leftAfter: number | null
  readonly onMissing: "fail" | "partial"
}

const read: fc.Arbitrary<Read> = fc.record({
  from: fc.integer({ min: -60, max: 0 }),
  length: fc.integer({ min: 1, max: 40 }),
  after: fc.integer({ min: 0, max: 20_000 }),
  leftAfter: fc.option(fc.integer({ min: 0, max: 15_000 }), { freq: 3 }),
  onMissing: fc.constantFrom("fail", "partial")
})

type World = typeof worlds extends fc.Arbitrary<infer A> ? A : never

const worlds = fc.record({
  seed: fc.nat(),
  splits: fc.array(fc.integer({ min: 1, max: 3 * 3_600 }), { minLength: 1, maxLength: 3 }),
  holes: fc.constantFrom(0, 0.3, 0.7),
  unavailable: fc.constantFrom(0, 0.1, 0.3),
  throttled: fc.constantFrom(0, 0.1),
  truncated: fc.constantFrom(0, 0.1),
  latency: fc.constantFrom([0, 0] as const, [500, 5_000] as const, [1_000, 20_000] as const),
  maxSpan: fc.constantFrom(null, 24 * hour, 7 * hour),
  finalityDelay: fc.constantFrom(0, 3 * hour),
  concurrency: fc.constantFrom(1, 4),
  basisHolds: fc.constant<number>(0),
  phases: fc.array(fc.array(read, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 })
})

/** A vendor that promises to hold its basis for a while, and does not. It always answers. */
const promising = worlds.chain((world) =>
  fc
    .constantFrom(10 * minute, hour, 6 * hour)
    .map((basisHolds): World => ({ ...world, unavailable: 0, throttled: 0, truncated: 0, basisHolds }))
)

interface Market {
  readonly vendor: ModelVendor.ModelVendor
  readonly series: SeriesKey
  /** The same market with only the first splits. */
  readonly bases: ReadonlyArray<ModelVendor.ModelVendor>
  readonly splits: ReadonlyArray<{ readonly at: number; readonly ratio: number }>
}

const marketOf = (world: World): Market => {
  const { basisHolds, concurrency, maxSpan, seed, splits: seconds, holes, finalityDelay, ...rest } = world
  const splits = [...new Set(seconds)].sort((a, b) => a - b).map((at) => ({ at: begin + at * 1_000, ratio: 4 }))
  const market = { seed, holes, finalityDelay }
  const limits = {
    basisHolds,
    concurrency,
    emptyFor: null,
    refusalFor: 5 * minute,
    timeframes: { "1h": { maxSpan, maxRows: null } }
  }
  const vendor = ModelVendor.make({ ...rest, ...market, splits, limits })
  const bases = [...splits.keys(), splits.length].map((n) =>
    ModelVendor.make({ ...market, splits: splits.slice(0, n) })
  )
  return { vendor, series: vendor.series("ALPHA", "1h", "splits"), bases, splits }
}

/** Of how many splits an answer is; null when of no one number. A bar from after a split is of no market from before it. */
const basisOf = Effect.fnUntraced(function* (
  { bases, series, splits }: Market,
  bars: ReadonlyArray<Bar>,
  ranges: ReadonlyArray<TimeRange>,
  now: number
) {
  for (const [index, base] of bases.entries()) {
    const known = splits.filter(({ at }) => at <= now).length
    if (index > known) continue
    const expected = (yield* Effect.forEach(ranges, (range) => base.direct(series, range, now))).flat()
    const next = splits[index]?.at ?? Infinity
    if (index < known && (bars.at(-1)?.ts ?? 0) >= next) continue
    if (JSON.stringify(expected) === JSON.stringify(bars)) return index
  }
  return null
})

/** The bars of an answer whose values can no longer change but by a split, and where they are. */
const settledPart = Effect.fnUntraced(function* (answer: RangeAnswer) {
  const had = answer.coverage.filter(({ state }) => isComplete(state) && state._tag !== "Provisional")
  const bars = (yield* barsOf(answer)).filter(({ ts }) => had.some(({ end, start }) => start <= ts && ts < end))
  return { bars, had }
})

const check = Effect.fnUntraced(function* (market: Market, answer: RangeAnswer) {
  const { bars, had } = yield* settledPart(answer)
  const basis = yield* basisOf(market, bars, had, yield* Clock.currentTimeMillis)
  if (basis !== null && bars.length > 0) seen[basis < market.splits.length ? "old" : "new"]++
  if (had.length === 0 || answer.coverage.some(({ state }) => !isComplete(state))) seen.partial++
  assert.isNotNull(basis, `a mix, or not the market: ${JSON.stringify({ bars, had })}`)
})

const reading = (cache: StitchingCache["Service"], market: Market, { from, leftAfter, length, onMissing }: Read) =>
  Effect.gen(function* () {
    const open = Math.floor((yield* Clock.currentTimeMillis) / hour) * hour
    const start = open + from * hour
    const range = { start, end: Math.max(start + hour, Math.min(start + length * hour, open)) }
    const run = Effect.result(cache.read({ series: market.series, range }, { onMissing }))
    const fiber = yield* Effect.forkChild(run, { startImmediately: true })
    if (leftAfter !== null) {
      yield* Effect.sleep(leftAfter)
      if (fiber.pollUnsafe() === undefined) seen.left++
      return yield* Fiber.interrupt(fiber)
    }
    const result = yield* Fiber.join(fiber)
    if (result._tag === "Success") yield* check(market, result.success)
    else seen.failed++
  })

/** All of it, with as many attempts as it takes. */
const wholeOf = Effect.fnUntraced(function* (cache: StitchingCache["Service"], series: SeriesKey, range: TimeRange) {
  for (let attempt = 0; attempt < 40; attempt++) {
    const result = yield* Effect.result(moving(cache.read({ series, range }), 1_000))
    if (result._tag === "Success") return result.success
    yield* TestClock.adjust(11 * minute)
  }
  return yield* Effect.die(new Error("never whole"))
})

/** What happened, so that a test that sees nothing happen fails. */
const seen = { old: 0, new: 0, partial: 0, left: 0, refetches: 0, believed: 0, failed: 0 }

const run = Effect.fnUntraced(function* (market: Market, phases: ReadonlyArray<ReadonlyArray<Read>>, holds: number) {
  const { series, vendor } = market
  yield* TestClock.setTime(begin)
  const cache = yield* StitchingCache
  for (const phase of phases) {
    yield* moving(
      Effect.forEach(phase, (one) => Effect.andThen(Effect.sleep(one.after), reading(cache, market, one)), {
        concurrency: "unbounded",
        discard: true
      }),
      997
    )
    yield* settled
    yield* TestClock.adjust(37 * minute)
  }
  yield* TestClock.setTime(begin + 12 * hour)
  const range = { start: begin - 60 * hour, end: begin + 8 * hour }
  const answer = yield* wholeOf(cache, series, range)
  assert.deepStrictEqual(yield* barsOf(answer), yield* vendor.direct(series, range))
  const archive = yield* ProvenanceStore
  const requests = yield* archive.requests({ limit: 1_000 })
  if (requests.some(({ cacheTag }) => cacheTag === "refetch")) seen.refetches++
  const operations = yield* archive.operationsOf(canonical(series), 0)
  seen.believed += operations.filter(({ change }) => change._tag === "Believed").length
  // What was believed wrongly is in the past as it was, part by part.
  for (const { at } of holds === 0 ? market.splits : []) {
    const past = yield* cache.read({ series, range }, { asOf: at - 1, onMissing: "partial" })
    const { bars, had } = yield* settledPart(past)
    assert.isNotNull(yield* basisOf(market, bars, had, at - 1), "what was known before the split")
  }
  const compared = yield* Stream.runCollect(cache.rebuild({ check: true }))
  const moved = compared.filter(({ _tag }) => _tag === "Difference")
  assert.deepStrictEqual(moved, [], "X7 the archive alone says the same")
})

const splitting = async (arbitrary: fc.Arbitrary<World>, happening: ReadonlyArray<keyof typeof seen>) => {
  Object.assign(seen, { old: 0, new: 0, partial: 0, left: 0, refetches: 0, believed: 0, failed: 0 })
  let cases = 0
  const property = fc.asyncProperty(arbitrary, async (world) => {
    const market = marketOf(world)
    await Effect.runPromise(
      run(market, world.phases, world.basisHolds).pipe(
        Effect.provide(fresh(market.vendor.adapter)),
        Effect.scoped,
        Effect.provide(TestClock.layer()),
        Effect.provideService(References.MinimumLogLevel, "Error")
      )
    )
    cases++
  })
  await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false })
  console.log(`${cases} cases: ${JSON.stringify(seen)}`)
  for (const name of happening) assert.isAbove(seen[name], 0, name)
}

describe("StitchingCache, splits", () => {
  it("C38 X5 splits in the middle of concurrent reads, failures and interrupts: old or new, never a mix", () =>
    splitting(worlds, ["old", "left", "refetches"]))

  it("a vendor that does not hold its basis as long as it promises: still no answer of two", () =>
    splitting(promising, ["old", "left", "refetches", "believed"]))
})
