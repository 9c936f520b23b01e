/**
 * A run of the quota under a clock that the test owns: elapsed time is the TestClock's, and the wall clock is set forward and
 * back at will. Recorded are the true instants at which requests started, so that windows can be checked from outside.
 */
import { Clock, Duration, Effect, Exit, Fiber, type Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { QuotaWindow } from "../../../src/domain/VendorLimits.ts"
import type { Quota, QuotaError, QuotaPolicy, QuotaRequest } from "../../../src/services/Quota.ts"
import { account, openQuota, type QuotaService } from "../../services/quotaSupport.ts"

export type Step =
  | {
      readonly _tag: "Ask"
      readonly weight: number
      readonly key: string
      readonly priority: number
      /** Milliseconds in flight. */
      readonly hold: number
    }
  | { readonly _tag: "Advance"; readonly millis: number }
  | { readonly _tag: "SetWall"; readonly by: number }
  | { readonly _tag: "Interrupt"; readonly which: number }
  | { readonly _tag: "Restart" }

export interface Start {
  /** Which of the requests, counted as they were asked for. */
  readonly index: number
  readonly asked: number
  readonly at: number
  readonly weight: number
  readonly key: string
}

export interface Run {
  readonly starts: ReadonlyArray<Start>
  readonly mostInFlight: number
  readonly interrupted: number
  /** Asked for, neither interrupted nor cut off by a restart, and still not started long after. */
  readonly starved: number
  readonly cutOff: number
  /** Who left while waiting, interrupted or cut off. */
  readonly left: ReadonlyMap<number, Departure>
}

/** One or more left at once. Requests and departures of the same millisecond still came one after the other. */
export interface Departure {
  readonly at: number
  /** How many had been asked for by then. */
  readonly arrivals: number
  /** The order of departures. */
  readonly turn: number
}

/** A request and its fiber, which may go on for a while after its fate is known. */
interface Asked {
  readonly fiber: Fiber.Fiber<unknown, QuotaError>
  readonly progress: { fate: "waiting" | "started" | "interrupted" | "cutOff" }
}

const isWaiting = ({ progress }: Asked): boolean => progress.fate === "waiting"

export const longestHold = 30

export const requestOf = (step: Extract<Step, { _tag: "Ask" }>): QuotaRequest => ({
  weight: step.weight,
  keys: { contract: step.key },
  priority: step.priority
})

/** A clock whose wall time is the TestClock's plus `offset`, which the test changes. */
const steppedClock = (test: TestClock.TestClock, offset: { millis: number }): Clock.Clock => ({
  currentTimeMillisUnsafe: () => test.currentTimeMillisUnsafe() + offset.millis,
  currentTimeMillis: Effect.sync(() => test.currentTimeMillisUnsafe() + offset.millis),
  currentTimeNanosUnsafe: () => test.currentTimeNanosUnsafe() + BigInt(offset.millis) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => test.currentTimeNanosUnsafe() + BigInt(offset.millis) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => test.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: test.monotonicTimeNanos,
  sleep: (duration) => test.sleep(duration)
})

export const simulate = Effect.fnUntraced(function* (
  layer: Layer.Layer<Quota, QuotaError>,
  policy: QuotaPolicy,
  steps: ReadonlyArray<Step>
) {
  const test = yield* TestClock.testClockWith(Effect.succeed)
  const offset = { millis: 1_700_000_000_000 }
  const clock = steppedClock(test, offset)
  const starts: Array<Start> = []
  const open: Array<Asked> = []
  const left = new Map<number, Departure>()
  const departures = { count: 0 }
  const flying = { now: 0, most: 0 }

  const departNow = (): Departure => ({
    at: test.currentTimeMillisUnsafe(),
    arrivals: open.length,
    turn: departures.count++
  })
  const launch = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const quota = yield* openQuota(layer).pipe(Scope.provide(scope), Effect.provideService(Clock.Clock, clock))
    yield* quota.configure(account, policy)
    return { scope, quota }
  })
  const ask = (quota: QuotaService, step: Extract<Step, { _tag: "Ask" }>) => {
    const asked = test.currentTimeMillisUnsafe()
    const index = open.length
    const progress: Asked["progress"] = { fate: "waiting" }
    const record = Effect.sync(() => {
      progress.fate = "started"
      starts.push({ index, asked, at: test.currentTimeMillisUnsafe(), weight: step.weight, key: step.key })
    })
    const fly = Effect.acquireUseRelease(
      Effect.sync(() => {
        flying.now++
        flying.most = Math.max(flying.most, flying.now)
      }),
      () => test.sleep(Duration.millis(step.hold)),
      () => Effect.sync(() => flying.now--)
    )
    const run = Effect.andThen(quota.reserve(account, requestOf(step)), Effect.andThen(record, fly))
    return Effect.scoped(run).pipe(
      Effect.forkChild({ startImmediately: true }),
      Effect.map((fiber) => ({ fiber, progress }))
    )
  }

  let running = yield* launch
  for (const step of steps) {
    switch (step._tag) {
      case "Ask":
        open.push(yield* ask(running.quota, step))
        break
      case "Advance":
        yield* test.adjust(step.millis)
        break
      case "SetWall":
        offset.millis += step.by
        break
      case "Interrupt": {
        const waiting = open.filter(isWaiting)
        const victim = waiting[step.which % Math.max(1, waiting.length)]
        if (victim === undefined) break
        victim.progress.fate = "interrupted"
        left.set(open.indexOf(victim), departNow())
        yield* Fiber.interrupt(victim.fiber)
        break
      }
      case "Restart": {
        const departure = departNow()
        for (const [index, asked] of open.entries()) {
          if (!isWaiting(asked)) continue
          asked.progress.fate = "cutOff"
          left.set(index, departure)
        }
        yield* Scope.close(running.scope, Exit.void)
        running = yield* launch
        break
      }
    }
  }
  const asked = steps.filter((step) => step._tag === "Ask").length
  const longest = policy.windows.reduce((most, window) => Math.max(most, window.span), 0)
  yield* test.adjust((asked + 1) * (longest + longestHold))
  const countOf = (fate: Asked["progress"]["fate"]) => open.filter(({ progress }) => progress.fate === fate).length
  yield* Scope.close(running.scope, Exit.void)
  const run: Run = {
    starts,
    mostInFlight: flying.most,
    starved: countOf("waiting"),
    interrupted: countOf("interrupted"),
    cutOff: countOf("cutOff"),
    left
  }
  return run
})

/** The most that a window ever held, over all its keys: weight started in `(t - span, t]`, at any true instant t. */
export const mostHeld = (window: QuotaWindow, starts: ReadonlyArray<Start>): number =>
  starts.reduce((most, { at, key }) => {
    const held = starts
      .filter((other) => window.key === null || other.key === key)
      .filter((other) => other.at > at - window.span && other.at <= at)
      .reduce((sum, other) => sum + other.weight, 0)
    return Math.max(most, held)
  }, 0)

export interface AskedFor {
  readonly asked: number
  readonly weight: number
  readonly key: string
  /** How its waiter left without having started; null: it stayed. */
  readonly left: Departure | null
}

/**
 * The best that a sliding log can do for requests in order of arrival, by trying every millisecond: each starts at the first
 * one at which no window is exceeded, given those before it. Whenever a waiter leaves, those that have not started are placed
 * anew without it. Null: left before its turn.
 */
export const bestStarts = (
  windows: ReadonlyArray<QuotaWindow>,
  asks: ReadonlyArray<AskedFor>
): ReadonlyArray<number | null> => {
  const departures = [...new Set(asks.flatMap(({ left }) => (left === null ? [] : [left])))]
  departures.sort((a, b) => a.turn - b.turn)
  let best = placed(windows, asks, { at: Number.NEGATIVE_INFINITY, arrivals: 0, turn: -1 }, [])
  for (const departure of departures) best = placed(windows, asks, departure, best)
  return best
}

/** Starts from a departure on, of all that had not started by then and were still waiting, or came later. */
const placed = (
  windows: ReadonlyArray<QuotaWindow>,
  asks: ReadonlyArray<AskedFor>,
  { at: now, arrivals, turn }: Departure,
  before: ReadonlyArray<number | null>
): ReadonlyArray<number | null> => {
  const usage = new Map<string, Map<number, number>>()
  const usageOf = (window: QuotaWindow, key: string): Map<number, number> => {
    const name = `${window.name} ${window.key === null ? "" : key}`
    const known = usage.get(name) ?? new Map<number, number>()
    usage.set(name, known)
    return known
  }
  const take = ({ key, weight }: AskedFor, at: number): void => {
    for (const window of windows) {
      const used = usageOf(window, key)
      for (let t = at; t < at + window.span; t++) used.set(t, (used.get(t) ?? 0) + weight)
    }
  }
  const started = asks.map((_, index) => {
    const start = before[index] ?? null
    return start !== null && start <= now && index < arrivals ? start : null
  })
  for (const [index, ask] of asks.entries()) {
    const start = started[index] ?? null
    if (start !== null) take(ask, start)
  }
  return asks.map((ask, index) => {
    const start = started[index] ?? null
    if (start !== null) return start
    if (ask.left !== null && ask.left.turn <= turn) return null
    const fits = (at: number): boolean =>
      windows.every((window) => {
        const used = usageOf(window, ask.key)
        for (let t = at; t < at + window.span; t++) if ((used.get(t) ?? 0) + ask.weight > window.limit) return false
        return true
      })
    let at = Math.max(ask.asked, now)
    while (!fits(at)) at++
    take(ask, at)
    return at
  })
}
