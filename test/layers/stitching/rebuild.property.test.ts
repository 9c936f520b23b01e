/**
 * Random histories: vendors that fail, correct, break off and delist, readers side by side and readers that leave, refetches that are
 * published and that are dropped, invalidations, forgetting, and steps that die in the middle. Whatever it was, a copy of the
 * archive alone gives the same store. Time is a TestClock; archive, store and quota are the real ones over real files.
 */
import { cpSync, existsSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { RangePolicy } from "../../../src/domain/Plan.ts"
import { canonical, type SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { allTime, type TimeRange } from "../../../src/domain/TimeRange.ts"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import { seriesDigest } from "../../../src/layers/market/seriesDigest.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { NotFound } from "../../../src/services/Adapter.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import type { RebuildEvent } from "../../../src/services/RebuildEvent.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { hour, minute, moving, over, settled, temporaryDirectory, utc } from "./support.ts"

const noon = utc("2024-03-06T12:20:00Z")

interface Subject {
  readonly vendor: number
  readonly symbol: string
}

type Step = Subject &
  (
    | { readonly do: "wait"; readonly millis: number }
    | { readonly do: "read"; readonly range: TimeRange; readonly policy: RangePolicy }
    | { readonly do: "together"; readonly ranges: ReadonlyArray<TimeRange> }
    | { readonly do: "leave"; readonly range: TimeRange; readonly after: number }
    | { readonly do: "refetch"; readonly leaveAfter: number | null }
    | { readonly do: "refused"; readonly range: TimeRange; readonly policy: RangePolicy }
    | { readonly do: "invalidate"; readonly range: TimeRange }
    | { readonly do: "forget" }
  )

const ranges = fc
  .tuple(fc.integer({ min: -60, max: 3 }), fc.integer({ min: 1, max: 40 }))
  .map(([from, length]): TimeRange => {
    const start = Math.floor(noon / hour) * hour + from * hour
    return { start, end: start + length * hour }
  })

const subject = { vendor: fc.nat(1), symbol: fc.constantFrom("ALPHA", "ALPHA", "BETA", "NONE") }
const doing = <A extends string>(what: A) => ({ ...subject, do: fc.constant(what) })

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ ...doing("wait"), millis: fc.integer({ min: minute, max: 9 * hour }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      ...doing("read"),
      range: ranges,
      policy: fc.constantFrom<RangePolicy>("cacheFirst", "cacheFirst", "refresh", "force")
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({ ...doing("together"), ranges: fc.array(ranges, { minLength: 2, maxLength: 4 }) })
  },
  { weight: 2, arbitrary: fc.record({ ...doing("leave"), range: ranges, after: fc.integer({ min: 0, max: 4_000 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ ...doing("refetch"), leaveAfter: fc.constantFrom(null, null, 1_000) })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...doing("refused"),
      range: ranges,
      policy: fc.constantFrom<RangePolicy>("cacheFirst", "force", "force")
    })
  },
  { weight: 2, arbitrary: fc.record({ ...doing("invalidate"), range: ranges }) },
  { weight: 1, arbitrary: fc.record(doing("forget")) }
)

const histories = fc.record({
  seed: fc.nat(),
  holes: fc.constantFrom(0, 0.3),
  revised: fc.constantFrom(0, 0.5, 1),
  finalityDelay: fc.constantFrom(0, 3 * hour),
  unavailable: fc.constantFrom(0, 0.2),
  throttled: fc.constantFrom(0, 0.1),
  truncated: fc.constantFrom(0, 0.1),
  latency: fc.constantFrom([0, 0] as const, [500, 5_000] as const),
  maxSpan: fc.constantFrom(null, 12 * hour, 5 * hour),
  emptyFor: fc.constantFrom(null, hour),
  recheckAfter: fc.constantFrom(null, 3 * hour),
  faults: fc.constantFrom(0, 0, 0.1),
  steps: fc.array(steps, { minLength: 4, maxLength: 22 })
})

const seen = { published: 0, dropped: 0, invalidated: 0, forgotten: 0, refused: 0, faults: 0, revisions: 0, cases: 0 }

/** While it is set the vendors say that they do not know any symbol. */
const listing = { delisted: false }

/** As a process that dies there, for the step that it hits: what was begun stays half done until the next plan. */
const faultsOf = (seed: number, share: number) => {
  let draws = 0
  return Layer.succeed(FaultPoint, (point) => {
    if (point !== "afterResponse" && point !== "afterCommit" && point !== "operationRecorded") return
    const draw = Math.abs(Math.sin(seed + ++draws * 12.9898) * 43_758.5453) % 1
    if (draw >= share) return
    seen.faults++
    throw new Error("the process died")
  })
}

const isFault = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isDieReason(reason) && String(reason.defect).includes("the process died"))

/** A step may fail as a vendor makes it fail, and die of the faults above; of nothing else. */
const tolerate = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.exit(effect), (exit) => {
    if (Exit.isFailure(exit) && Cause.hasDies(exit.cause) && !isFault(exit.cause)) {
      return Effect.andThen(Effect.failCause(exit.cause), Effect.succeed(exit))
    }
    return Effect.succeed(exit)
  })

const perform = Effect.fnUntraced(function* (step: Step, series: SeriesKey) {
  const cache = yield* StitchingCache
  const leaving = (effect: Effect.Effect<unknown, unknown>, after: number) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
      yield* settled
      yield* TestClock.adjust(after)
      yield* moving(Fiber.interrupt(fiber))
    })
  switch (step.do) {
    case "wait":
      return yield* TestClock.adjust(step.millis)
    case "read":
      return yield* tolerate(
        moving(cache.read({ series, range: step.range, policy: step.policy }, { onMissing: "partial" }))
      )
    case "together":
      return yield* tolerate(
        moving(
          Effect.forEach(step.ranges, (range) => Effect.exit(cache.read({ series, range }, { onMissing: "partial" })), {
            concurrency: "unbounded"
          })
        )
      )
    case "leave":
      return yield* tolerate(leaving(cache.read({ series, range: step.range }, { onMissing: "partial" }), step.after))
    case "refetch": {
      if (step.leaveAfter !== null) {
        seen.dropped++
        return yield* tolerate(leaving(cache.refetch(series), step.leaveAfter))
      }
      const exit = yield* tolerate(moving(cache.refetch(series)))
      if (Exit.isSuccess(exit)) seen.published++
      return
    }
    case "refused": {
      const market = yield* MarketStore
      const before = yield* market.count(series, step.range)
      listing.delisted = true
      const { policy, range } = step
      const exit = yield* tolerate(moving(cache.read({ series, range, policy }, { onMissing: "partial" })))
      listing.delisted = false
      if (Exit.isSuccess(exit)) assert.isAtLeast(exit.value.rowCount, before)
      return
    }
    case "invalidate":
      seen.invalidated++
      return yield* tolerate(cache.invalidate(series, step.range))
    case "forget": {
      const exit = yield* tolerate(moving(cache.forget(series)))
      if (Exit.isSuccess(exit)) seen.forgotten++
    }
  }
})

/** Everything that the store says, now and as of some instants. */
const contents = Effect.fnUntraced(function* (keys: ReadonlyArray<SeriesKey>) {
  const market = yield* MarketStore
  return yield* Effect.forEach(keys, (key) =>
    Effect.gen(function* () {
      const digest = yield* seriesDigest(market, key)
      seen.revisions += digest.revisions.count
      seen.refused += (yield* market.coverage(key, allTime)).filter(({ refusal }) => refusal !== undefined).length
      const known = yield* Effect.forEach([1, 3, 8, 20, 60], (hours) => {
        const asOf = noon + hours * hour
        return Effect.all([
          Stream.runCollect(market.bars(key, allTime, { asOf })),
          market.coverage(key, allTime, { asOf })
        ])
      })
      return { key: canonical(key), digest, known }
    })
  )
})

const rebuilt = (options: { readonly check: boolean }) =>
  Effect.flatMap(StitchingCache, (cache) => Stream.runCollect(cache.rebuild(options)))

const unequal = (events: ReadonlyArray<RebuildEvent>) =>
  events.filter((event) => event._tag === "Difference" || (event._tag === "Compared" && !event.same))

describe("rebuild, random histories", () => {
  it.effect(
    "X7 a copy of the archive alone gives the same rows, lineage, revisions and coverage, now and as they were known",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            histories,
            ({ emptyFor, faults, maxSpan, recheckAfter, seed, steps: history, ...market }) => {
              const vendors = [0, 1].map((index) =>
                ModelVendor.make({
                  ...market,
                  name: `model${index}`,
                  seed: seed + index,
                  symbols: ["ALPHA", "BETA"],
                  corrections: [{ start: noon - 40 * hour, end: noon - 20 * hour, at: noon + 6 * hour }],
                  trouble: () => (listing.delisted ? new NotFound({ message: "delisted" }) : null),
                  limits: {
                    recheckAfter,
                    timeframes: { "1h": { maxSpan, maxRows: null } },
                    concurrency: 3,
                    emptyFor,
                    provisionalFor: 10 * minute,
                    refusalFor: 2 * hour
                  }
                })
              )
              const adapters = vendors.map(({ adapter }) => adapter)
              const seriesOf = ({ symbol, vendor }: Subject) =>
                vendors[vendor]?.series(symbol, "1h") ?? assert.fail("no such vendor")
              const keys = [0, 1].flatMap((vendor) =>
                ["ALPHA", "BETA", "NONE"].map((symbol) => seriesOf({ vendor, symbol }))
              )
              seen.cases++
              return Effect.gen(function* () {
                const directory = yield* temporaryDirectory
                yield* TestClock.setTime(noon)
                yield* Effect.gen(function* () {
                  for (const step of history) yield* perform(step, seriesOf(step))
                  yield* moving(Effect.as(Effect.sleep(minute), undefined))
                }).pipe(Effect.provide(over(directory, adapters)), Effect.provide(faultsOf(seed, faults)))

                const live = yield* Effect.gen(function* () {
                  const checked = yield* rebuilt({ check: true })
                  assert.deepStrictEqual(unequal(checked), [])
                  return yield* contents(keys)
                }).pipe(Effect.provide(over(directory, adapters)))

                const copy = yield* temporaryDirectory
                cpSync(`${directory}/provenance.sqlite`, `${copy}/provenance.sqlite`)
                if (existsSync(`${directory}/responses`)) {
                  cpSync(`${directory}/responses`, `${copy}/responses`, { recursive: true })
                }
                const again = yield* Effect.gen(function* () {
                  yield* rebuilt({ check: false })
                  return yield* contents(keys)
                }).pipe(Effect.provide(over(copy, adapters)))
                assert.deepStrictEqual(again, live)
              }).pipe(
                Effect.scoped,
                Effect.provideService(References.MinimumLogLevel, "None"),
                Effect.provide(TestClock.layer()),
                Effect.runPromise
              )
            }
          ),
          { numRuns: 30, seed: 20261129 }
        )
      ).pipe(
        Effect.andThen(
          Effect.sync(() => {
            const { cases, ...features } = seen
            console.log(
              `${cases} cases: ${Object.entries(features)
                .map(([name, count]) => `${name} ${count}`)
                .join(", ")}`
            )
            for (const [name, count] of Object.entries(features)) assert.isAbove(count, 0, name)
          })
        )
      ),
    300_000
  )
})
