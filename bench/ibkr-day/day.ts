/**
 * A day of a gateway in simulated time: 100 lines, 1,000 consumers of which one in ten is slow, something that goes wrong every minute, and the
 * nightly reset. What was told and what was recorded is held against what happened, and what the process holds at the end against what it held at the beginning.
 *
 * The gateway's clock is stepped and everybody else's is a test's; both go on in steps of a quarter of a second, in between which the sockets have
 * their turns. Problems are found and told, not thrown, so that one does not hide another.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Exit, Layer, References, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as IbkrAdapter from "../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../src/layers/adapters/ibkr/IbkrVendor.ts"
import * as TapestryConfig from "../../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import * as GatewaySimulator from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { MarketStreams } from "../../src/services/MarketStreams.ts"
import { Digest, follow } from "./consumers.ts"
import { differs, leaks, step, strays } from "./differences.ts"
import { mishapOf } from "./faults.ts"
import { counting, type Inventory } from "./inventory.ts"
import { jobsDone } from "./jobsDone.ts"
import { losing, marketOf, recordedQuotes, streams } from "./lines.ts"
import { QuoteCheck } from "./QuoteCheck.ts"
import { record } from "./recording.ts"
import { rebuiltDiffers, shareOf, storedTapes } from "./stored.ts"
import { TapeCheck } from "./TapeCheck.ts"

const second = 1_000
const minute = 60 * second

export interface DayOptions {
  readonly minutes: number
  readonly seed: number
  readonly consumers: number
  /** Multiplies how much happens in the market. */
  readonly activity: number
  /** When IB resets: minutes after the beginning, and for how many. */
  /** Minutes from one kill of the recording to the next. */
  readonly killEvery: number
  readonly reset: { readonly after: number; readonly minutes: number }
  /** Breaks something on purpose, so that it is seen to be found: a row that is lost on its way or from the archive, or a line that is not given back. */
  readonly sabotage?: "row" | "segment" | "line"
  readonly progress?: (minutes: number) => void
}

export interface DayReport {
  readonly problems: ReadonlyArray<string>
  readonly rowsCompared: number
  readonly barsCompared: number
  readonly quotesCompared: number
  readonly rowsRepaired: number
  readonly gaps: number
  readonly reconnects: number
  /** Of the time of the tapes, how much was told as unrepairable: a share. */
  readonly unrepairable: number
  readonly mishaps: Readonly<Record<string, number>>
  readonly kills: number
  readonly stored: {
    readonly rows: number
    /** Of the recorded tapes' time, how much no coverage claims when the recording ends, and when all jobs are done: shares. */
    readonly unclaimed: number
    readonly unclaimedAfterJobs: number
    readonly jobs: number
    /** That the jobs took, under the budget of the vendor. */
    readonly jobHours: number
    /** Series of which it was looked whether their archived answers give the same. */
    readonly seriesRebuilt: number
  }
  readonly slowEnded: number
  readonly rowsDropped: number
  /** Milliseconds of the test's clock that a row waited at most for a consumer that is not slow. */
  readonly lag: number
  /** The most messages to the gateway in a second of its time. */
  readonly mostMessages: number
  readonly messages: number
  /** Bytes in use; after a collection where the process lets one be had. */
  readonly heap: { readonly before: number; readonly after: number }
  readonly before: Inventory
  readonly after: Inventory
}

/** Lets both ends of a connection of this process take what the other has sent. */
const turns = Effect.promise(async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
})

/** A test's clock warns, after a second of the machine's, that nobody moves it. */
const quiet = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 1_200)))

const heap = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const run = Effect.fnUntraced(function* (options: DayOptions) {
  const { activity, consumers, minutes, reset, seed } = options
  const counter = yield* counting
  const start = Date.UTC(2026, 3, 9, 14)
  // It counts messages by the machine's clock, which has nothing to do with time here.
  const gateway = yield* GatewaySimulator.make({
    seed,
    start,
    hours: "always",
    activity,
    quotas: { messagesPerSecond: 1_000_000, lines: options.sabotage === "line" ? 101 : 100 }
  })
  yield* TestClock.setTime(gateway.now())

  let mostMessages = 0
  let messages = 0
  let connection = 0
  let sent = 0
  let inSecond: Array<number> = []
  const countMessages = () => {
    const live = gateway.clients().at(-1)
    if (live === undefined) return
    if (live.connection !== connection) {
      connection = live.connection
      sent = 0
      inSecond = []
    }
    inSecond.push(live.requests - sent)
    messages += live.requests - sent
    sent = live.requests
    if (inSecond.length > second / step) inSecond.shift()
    mostMessages = Math.max(
      mostMessages,
      inSecond.reduce((sum, count) => sum + count, 0)
    )
  }
  const pass = Effect.fnUntraced(function* (millis: number, by: number = step) {
    for (let left = millis; left > 0; left -= by) {
      yield* TestClock.adjust(by)
      yield* turns
      yield* gateway.advance(by)
      yield* turns
      if (by === step) countMessages()
    }
  })
  /** Lets time go on until something has ended. */
  const whilePassing = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (;;) {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return yield* exit
      yield* pass(second, second)
    }
  })

  const lifetime = yield* Scope.make()
  const body = Effect.gen(function* () {
    // A line more than there are streams, for the one that is not given back.
    const lines = options.sabotage === "line" ? { lines: { marketData: 101 } } : {}
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port, ...lines }, 1 << 26))
    const adapter = yield* IbkrAdapter.make(vendor)
    const registry = yield* AdapterRegistry
    yield* registry.register(Effect.succeed(options.sabotage === "row" ? losing(adapter) : adapter))
    const market = yield* MarketStreams

    const tapes: Array<TapeCheck> = []
    const books: Array<QuoteCheck> = []
    const digests = streams.map(() => new Digest())
    /** Of who listens live, before what was recorded is looked at. */
    const audience = yield* Scope.fork(lifetime)
    const ears = streams.map(({ kind, symbol }) => {
      if (kind === "quotes") {
        const check = new QuoteCheck(symbol)
        books.push(check)
        return check
      }
      const check = new TapeCheck(kind, `${kind} of ${symbol}`, marketOf(gateway, { kind, symbol }))
      tapes.push(check)
      return check
    })
    const witness = yield* market
      .subscribe({ vendor: "ibkr", streams }, { policy: { _tag: "lossless", rows: 1_000_000 } })
      .pipe(Scope.provide(audience))
    const hearing = Effect.gen(function* () {
      for (;;) {
        const items = yield* witness.take
        for (const { event, stream } of items) {
          digests[stream]?.hear(event, gateway.now() + step)
          ears[stream]?.hear(event, gateway.now())
        }
      }
    })
    yield* Effect.forkIn(hearing, audience)
    const recorded = streams.filter(({ kind, symbol }) => kind !== "quotes" || recordedQuotes.has(symbol))
    const recording = yield* record(recorded, options.sabotage === "segment")
    let hurry = false
    const followers = yield* follow(streams, consumers, seed, () => hurry).pipe(Scope.provide(audience))

    yield* pass(90 * second)
    yield* quiet
    const heapBefore = heap()
    const before = counter.take(gateway)
    const problems: Array<string> = []
    if (before.requests.length !== streams.length) problems.push(`at first ${before.requests.length} lines are open`)

    const mishaps: Record<string, number> = {}
    const resetAt = gateway.now() + reset.after * minute
    const at = new Date(resetAt).toISOString().slice(11, 16)
    yield* gateway.inject({ _tag: "NightlyReset", at, forMillis: reset.minutes * minute, active: true })
    let unseenUntil = 0
    for (let index = 0; index < minutes; index++) {
      const mishap = mishapOf(seed, index)
      yield* pass(mishap.after)
      mishaps[mishap.name] = (mishaps[mishap.name] ?? 0) + 1
      for (const fault of mishap.faults) yield* gateway.inject(fault)
      if (index % options.killEvery === options.killEvery - 1) yield* recording.kill
      unseenUntil = Math.max(unseenUntil, gateway.now() + mishap.unseen)
      const { end } = mishap
      const left = minute - mishap.after
      const lasts = end === null ? left : Math.min(left, end.after)
      yield* pass(lasts)
      for (const fault of end?.faults ?? []) yield* gateway.inject(fault)
      yield* pass(left - lasts)
      if (gateway.now() > unseenUntil) for (const book of books) book.compare(gateway)
      if (index % 10 === 9) for (const tape of tapes) tape.compare()
      counter.forget()
      options.progress?.(index + 1)
    }
    const told = (book: QuoteCheck | TapeCheck) => book.gaps
    const connections = connection
    yield* gateway.inject({ _tag: "NightlyReset", at, forMillis: minute, active: false })
    yield* gateway.inject({ _tag: "Clear" })
    yield* pass(4 * minute)
    for (const book of books) {
      book.compare(gateway)
      if (!book.live) problems.push(`quotes of ${book.symbol}: they have not come back`)
    }
    // Whoever looks away comes back within a minute.
    hurry = true
    yield* pass(70 * second)
    if (options.sabotage === "line") {
      const leaked = yield* Scope.make()
      yield* market.subscribe({ vendor: "ibkr", streams: [{ symbol: "GBP.USD", kind: "quotes" }] }).pipe(
        // An open stream holds no fiber, and who listens to it does.
        Effect.flatMap(({ take }) => Effect.forkIn(Effect.forever(take), leaked)),
        Scope.provide(leaked)
      )
      yield* pass(5 * second)
    }
    // What could not be had at once is fetched by jobs, which end when the history's budget lets them.
    for (let waited = 0; counter.fibers() > before.fibers && waited < 30 && options.sabotage !== "line"; waited++) {
      yield* pass(minute)
    }
    yield* quiet
    const heapAfter = heap()
    const after = counter.take(gateway)
    // Nothing more happens, so that all that was told has been taken.
    for (let left = 0; left < 5 * second; left += step) {
      yield* TestClock.adjust(step)
      yield* turns
    }
    for (const tape of tapes) {
      tape.compare()
      if (tape.through < gateway.now() - 15 * second) {
        problems.push(`${tape.name}: ends ${(gateway.now() - tape.through) / second} s before the day does`)
      }
    }
    for (const one of [...tapes, ...books]) problems.push(...one.problems)
    for (const follower of followers) {
      const digest = digests[follower.stream]
      if (digest !== undefined) problems.push(...strays(follower, digest))
    }
    problems.push(...leaks(before, after))

    const until = Math.floor((gateway.now() - minute) / (5 * second)) * 5 * second
    yield* whilePassing(recording.end)
    yield* Scope.close(audience, Exit.void)
    const live = yield* storedTapes(recorded, recording.told, until, gateway)
    const jobs = yield* whilePassing(jobsDone)
    const repaired = yield* storedTapes(recorded, recording.told, until, gateway)
    problems.push(...new Set([...live, ...repaired].flatMap((tape) => tape.problems)))
    // The simulated history has all of the day.
    for (const hole of repaired.flatMap(({ holes }) => holes)) problems.push(`not in the store after all jobs: ${hole}`)
    const rebuilt = yield* whilePassing(rebuiltDiffers)
    problems.push(...recording.problems(), ...jobs.problems, ...rebuilt.problems)
    const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)
    const report: DayReport = {
      problems,
      rowsCompared: sum(tapes.map(({ compared }) => compared)),
      barsCompared: sum(tapes.filter(({ name }) => name.startsWith("bars")).map(({ compared }) => compared)),
      quotesCompared: sum(books.map(({ compared }) => compared)),
      rowsRepaired: sum(tapes.map(({ repaired }) => repaired)),
      gaps: sum([...tapes, ...books].map(told)),
      reconnects: connections - 1,
      unrepairable: sum(tapes.map(({ missed }) => missed)) / sum(tapes.map(({ promised }) => promised)),
      mishaps,
      kills: recording.kills(),
      stored: {
        rows: sum(repaired.map(({ rows }) => rows)),
        unclaimed: shareOf(live),
        unclaimedAfterJobs: shareOf(repaired),
        jobs: jobs.done,
        jobHours: jobs.hours,
        seriesRebuilt: rebuilt.compared
      },
      slowEnded: sum(followers.map(({ ended }) => ended)),
      rowsDropped: sum(followers.map(({ digest }) => digest.dropped)),
      lag: Math.max(...followers.filter(({ slow }) => !slow).map(({ digest }) => digest.lag)),
      mostMessages,
      messages,
      heap: { before: heapBefore, after: heapAfter },
      before,
      after
    }
    return report
  })
  const directory = mkdtempSync(join(tmpdir(), "tapestry-ibkr-day-"))
  const services = Tapestry.layer({
    dataDir: directory,
    config: { ...TapestryConfig.defaults, dataDir: directory, sample: false }
  }).pipe(Layer.provide(NodeServices.layer))
  const fibersAtFirst = counter.fibers()
  const exit = yield* Effect.exit(body.pipe(Scope.provide(lifetime), Effect.provide(services), counter.counted))
  yield* Scope.close(lifetime, Exit.void)
  yield* turns
  rmSync(directory, { recursive: true, force: true })
  const report = yield* exit
  const left = counter.take(gateway)
  const problems = [
    ...report.problems,
    ...differs("lines at the end of all", [], left.requests),
    ...differs("sockets at the end of all", [], left.listeners),
    ...differs("fibers at the end of all", fibersAtFirst, left.fibers)
  ]
  return { ...report, problems }
})

/** In a test's clock. */
export const day = (options: DayOptions): Effect.Effect<DayReport> =>
  run(options).pipe(Effect.scoped, Effect.provideService(References.MinimumLogLevel, "Fatal"), Effect.orDie)
