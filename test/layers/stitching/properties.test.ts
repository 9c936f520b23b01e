/**
 * Random vendors, random requests: what must hold of every answer, of the vendor's log and of the stored coverage. Time is a
 * TestClock; the archive, the store and the quota are the real ones over real files.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { type CoverageInterval, isComplete } from "../../../src/domain/Coverage.ts"
import * as Intervals from "../../../src/domain/Intervals.ts"
import type { RangePolicy } from "../../../src/domain/Plan.ts"
import { canonical, type SeriesKey } from "../../../src/domain/SeriesKey.ts"
import * as Timeframe from "../../../src/domain/Timeframe.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import { finalEnd, openEnd } from "../../../src/layers/stitching/finality.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { type RangeAnswer, StitchingCache } from "../../../src/services/StitchingCache.ts"
import { newYork, overnight } from "../../support/calendars.ts"
import { barsOf, day, fresh, hour, minute, moving, utc } from "./support.ts"

const noon = utc("2024-03-06T12:20:00Z")

type Step =
  | { readonly do: "wait"; readonly millis: number }
  | { readonly do: "read"; readonly range: TimeRange; readonly policy: RangePolicy }
  | { readonly do: "tail"; readonly hours: number; readonly ahead: number; readonly later: number }
  | { readonly do: "together"; readonly ranges: ReadonlyArray<TimeRange> }
  | { readonly do: "crowd"; readonly range: TimeRange; readonly readers: number }
  | { readonly do: "leave"; readonly range: TimeRange; readonly after: number }

const ranges = fc
  .tuple(fc.integer({ min: -150, max: 4 }), fc.integer({ min: 1, max: 72 }), fc.constantFrom(0, 0, 0, 250))
  .map(([from, length, sliver]): TimeRange => {
    const start = Math.floor(noon / hour) * hour + from * hour + sliver
    return { start, end: start + length * hour }
  })

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), millis: fc.integer({ min: minute, max: day }) })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      range: ranges,
      policy: fc.constantFrom<RangePolicy>("cacheFirst", "cacheFirst", "cacheFirst", "refresh", "force", "cacheOnly")
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("tail" as const),
      hours: fc.integer({ min: 1, max: 30 }),
      ahead: fc.constantFrom(0, 0, 3),
      later: fc.constantFrom(5 * minute, 2 * hour, 2 * hour, day)
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("together" as const),
      ranges: fc.array(ranges, { minLength: 2, maxLength: 4 })
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("crowd" as const), range: ranges, readers: fc.integer({ min: 2, max: 5 }) })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("leave" as const),
      range: ranges,
      after: fc.integer({ min: 0, max: 4_000 })
    })
  }
)

const vendors = fc
  .record({
    seed: fc.nat(),
    holes: fc.constantFrom(0, 0.2, 0.6),
    weekends: fc.boolean(),
    calendar: fc.constantFrom(null, null, newYork, overnight),
    listedAt: fc.constantFrom(null, noon - 4 * day),
    revised: fc.constantFrom(0, 0.5, 1),
    finalityDelay: fc.constantFrom(0, 0, 3 * hour),
    unavailable: fc.constantFrom(0, 0, 0.3),
    throttled: fc.constantFrom(0, 0, 0.2),
    truncated: fc.constantFrom(0, 0, 0.1),
    latency: fc.constantFrom([0, 0] as const, [500, 5_000] as const, [2_000, 8_000] as const),
    maxSpan: fc.constantFrom(null, 24 * hour, 5 * hour),
    maxRows: fc.constantFrom(null, 20),
    concurrency: fc.constantFrom(1, 4),
    earliest: fc.constantFrom(null, noon - 5 * day),
    offGrid: fc.constantFrom(0, 0, 30 * minute),
    files: fc.constantFrom(false, false, false, true)
  })
  .map(
    ({ concurrency, earliest, files, maxRows, maxSpan, ...market }): ModelVendor.ModelVendorOptions => ({
      ...market,
      limits: {
        calendar: market.calendar?.name ?? null,
        // Answers that are whole files have no other limit; that of today reaches into the future.
        timeframes: { "1h": files ? { maxSpan: null, maxRows: null } : { maxSpan, maxRows } },
        alignment: files ? { unit: "day", zone: "UTC" } : null,
        concurrency,
        earliest,
        emptyFor: null,
        provisionalFor: 10 * minute
      }
    })
  )

const features = {
  holes: 0,
  empties: 0,
  errors: 0,
  limits: 0,
  revisions: 0,
  "future bounds": 0,
  throttling: 0,
  "shared flights": 0,
  "readers that left": 0,
  "whole files": 0,
  "closed time": 0,
  "whole answers of a sound vendor": 0
}
type Feature = keyof typeof features

const clip = (a: TimeRange, b: TimeRange): Intervals.Ranges => Intervals.intersect([a], [b])

/** Complete intervals hold exactly what the vendor said when it was asked. */
const checkAnswer = Effect.fnUntraced(function* (
  vendor: ModelVendor.ModelVendor,
  series: SeriesKey,
  answer: RangeAnswer
) {
  const archive = yield* ProvenanceStore
  const bars = yield* barsOf(answer)
  let at = answer.range.start
  const whole = (interval: CoverageInterval) => bars.filter(({ ts }) => interval.start <= ts && ts < interval.end)
  for (const interval of answer.coverage) {
    assert.strictEqual(interval.start, at, "the report leaves no hole")
    at = interval.end
    const { state } = interval
    if (!isComplete(state) || !("response" in state)) continue
    const { fetchedAt } = yield* archive.response(state.response)
    // Final bars are what they are now; provisional ones are what they were.
    const asked = state._tag === "Provisional" ? fetchedAt : yield* Clock.currentTimeMillis
    assert.deepStrictEqual(whole(interval), yield* vendor.direct(series, interval, asked))
  }
  assert.strictEqual(at, answer.range.end)
})

/**
 * A vendor that fails nobody leaves no hole that it could have filled: what is final and not before its first date is all had,
 * and is what one direct fetch of the whole range would have been.
 */
const checkWhole = Effect.fnUntraced(function* (
  vendor: ModelVendor.ModelVendor,
  series: SeriesKey,
  answer: RangeAnswer,
  began: number
) {
  const { limits } = vendor.adapter
  // The first date lies within a bar's period here; that bar begins before it.
  const first = limits.earliest === null ? -Infinity : Timeframe.ceil("1h", limits.earliest)
  const [final] = clip(answer.range, { start: first, end: finalEnd("1h", began, limits, null) })
  if (final === undefined) return false
  for (const { start, end, state } of answer.coverage) {
    const within = clip({ start, end }, final).length > 0
    if (within) assert.isTrue(isComplete(state), `${state._tag} where the vendor has an answer`)
    // What was had while it was open is served until it runs out, although it has become final meanwhile.
    if (within && state._tag === "Provisional") return false
  }
  const bars = (yield* barsOf(answer)).filter(({ ts }) => final.start <= ts && ts < final.end)
  assert.deepStrictEqual(bars, yield* vendor.direct(series, final))
  return true
})

/** Every stored interval names an archived answer that proves it. */
const checkEvidence = Effect.fnUntraced(function* (vendor: ModelVendor.ModelVendor, series: SeriesKey) {
  const archive = yield* ProvenanceStore
  const store = yield* MarketStore
  for (const interval of yield* store.coverage(series, { start: noon - 30 * day, end: noon + 30 * day })) {
    const response = yield* archive.response(interval.state.response)
    const { subject } = yield* archive.request(response.request)
    assert.strictEqual(response.status, "ok")
    assert.strictEqual(response.fetchedAt, interval.recordedAt)
    assert.isTrue(subject?.series === canonical(series))
    assert.isTrue(subject !== null && subject.range.start <= interval.start && interval.end <= subject.range.end)
    const { limits } = vendor.adapter
    const end =
      interval.state._tag === "Provisional"
        ? openEnd("1h", response.askedAt, null)
        : finalEnd("1h", response.askedAt, limits, null)
    assert.isAtMost(interval.end, end, "nothing is covered past what was final")
  }
})

/**
 * No instant that was had when it was final is asked for again, unless a reader wanted new answers. A file that was still
 * growing is had again as a whole when it is complete.
 */
const checkLog = (
  vendor: ModelVendor.ModelVendor,
  log: ReadonlyArray<ModelVendor.ModelReply>,
  wanted: ReadonlySet<number>
) => {
  let had: Intervals.Ranges = []
  for (const [index, { at, outcome, range }] of log.entries()) {
    if (!wanted.has(index)) assert.deepStrictEqual(Intervals.intersect(had, [range]), [], `request ${index}`)
    if (outcome !== "rows" && outcome !== "empty") continue
    const settled = finalEnd("1h", at, vendor.adapter.limits, null)
    if (vendor.adapter.limits.alignment !== null && settled < range.end) continue
    had = Intervals.union(had, clip(range, { start: -Infinity, end: settled }))
  }
}

const run = Effect.fnUntraced(function* (
  { holes, sound }: { readonly holes: boolean; readonly sound: boolean },
  vendor: ModelVendor.ModelVendor,
  script: ReadonlyArray<Step>,
  seen: Set<Feature>
) {
  yield* TestClock.setTime(noon)
  const cache = yield* StitchingCache
  const series: SeriesKey = { ...vendor.series("ALPHA", "1h"), session: "regular" }
  const wanted = new Set<number>()

  const read = Effect.fnUntraced(function* (range: TimeRange, policy: RangePolicy) {
    const before = (yield* vendor.log).length
    const began = yield* Clock.currentTimeMillis
    const answer = yield* cache.read({ series, range, policy }, { onMissing: "partial" })
    const log = yield* vendor.log
    if (policy === "force" || policy === "refresh") for (let i = before; i < log.length; i++) wanted.add(i)
    yield* checkAnswer(vendor, series, answer)
    if (sound && policy !== "cacheOnly" && (yield* checkWhole(vendor, series, answer, began))) {
      seen.add("whole answers of a sound vendor")
    }
    if (answer.coverage.some(({ state }) => state._tag === "Closed")) seen.add("closed time")
    if (answer.sharedRequests > 0) seen.add("shared flights")
    const final = answer.plan.requests.filter((request) => request.final)
    if (final.some((request, index) => request.range.end === final[index + 1]?.range.start)) seen.add("limits")
    if (range.end > openEnd("1h", yield* Clock.currentTimeMillis, null)) seen.add("future bounds")
    return answer
  })

  for (const step of script) {
    switch (step.do) {
      case "wait":
        yield* TestClock.adjust(step.millis)
        break
      case "read":
        yield* moving(read(step.range, step.policy), 2_500)
        break
      case "tail": {
        const end = openEnd("1h", yield* Clock.currentTimeMillis, null)
        const range = { start: end - step.hours * hour, end: end + step.ahead * hour }
        yield* moving(read(range, "cacheFirst"), 2_500)
        yield* TestClock.adjust(step.later)
        yield* moving(read(range, "cacheFirst"), 2_500)
        break
      }
      case "together":
        yield* moving(
          Effect.all(
            step.ranges.map((range) => read(range, "cacheFirst")),
            { concurrency: "unbounded" }
          ),
          2_500
        )
        break
      case "crowd": {
        const before = (yield* vendor.log).length
        const readers = Array.from({ length: step.readers }, () => read(step.range, "cacheFirst"))
        const answers = yield* moving(Effect.all(readers, { concurrency: "unbounded" }), 2_500)
        const served = (yield* vendor.log)
          .slice(before)
          .filter(({ outcome }) => outcome === "rows" || outcome === "empty")
        const distinct = new Set(served.map(({ range }) => `${range.start} ${range.end}`))
        assert.strictEqual(served.length, distinct.size, "identical requests were one upstream call")
        for (const answer of answers) assert.deepStrictEqual(yield* barsOf(answer), yield* barsOf(answers[0] ?? answer))
        break
      }
      case "leave": {
        const reader = yield* Effect.forkChild(read(step.range, "cacheFirst"), { startImmediately: true })
        yield* moving(Effect.sleep(step.after), 500)
        if (reader.pollUnsafe() === undefined) seen.add("readers that left")
        yield* Fiber.interrupt(reader)
        yield* moving(Effect.sleep(10_000), 2_500)
        break
      }
    }
    yield* checkEvidence(vendor, series)
  }

  const log = yield* vendor.log
  checkLog(vendor, log, wanted)
  const store = yield* MarketStore
  const revisions = yield* Stream.runCollect(store.revisions(series, { start: noon - 30 * day, end: noon + 30 * day }))
  if (revisions.length > 0) seen.add("revisions")
  if (log.some(({ outcome }) => outcome === "Throttled")) seen.add("throttling")
  if (log.some(({ outcome }) => outcome === "empty")) seen.add("empties")
  if (log.some(({ outcome }) => !["rows", "empty", "under way"].includes(outcome))) seen.add("errors")
  if (vendor.adapter.limits.alignment !== null && log.length > 0) seen.add("whole files")
  if (holes && log.some(({ outcome }) => outcome === "rows")) seen.add("holes")
})

describe("StitchingCache, properties", () => {
  it("C32 C33 C34 C36 C37 C42 X2 the answer equals a direct fetch, no final instant is fetched twice, nothing is covered without evidence", async () => {
    let cases = 0
    const property = fc.asyncProperty(
      vendors,
      fc.array(steps, { minLength: 3, maxLength: 8 }),
      async (options, script) => {
        const vendor = ModelVendor.make(options)
        const seen = new Set<Feature>()
        const kind = {
          holes: (options.holes ?? 0) > 0,
          sound: [options.unavailable, options.throttled, options.truncated].every((share) => share === 0)
        }
        await Effect.runPromise(
          run(kind, vendor, script, seen).pipe(
            Effect.provide(fresh(vendor.adapter)),
            Effect.scoped,
            Effect.provide(TestClock.layer()),
            Effect.provideService(References.MinimumLogLevel, "Error")
          )
        )
        cases++
        for (const feature of seen) features[feature]++
      }
    )
    await fc.assert(property, { numRuns: 100, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: false })
    const shares = Object.entries(features).map(([name, count]) => ({ name, share: count / cases }))
    console.log(`${cases} cases: ${shares.map(({ name, share }) => `${name} ${Math.round(share * 100)} %`).join(", ")}`)
    for (const { name, share } of shares) assert.isAbove(share, 0.1, name)
  })
})
