import { Effect } from "effect"
import { NeverFits, Pacing, type QuotaPolicy, type QuotaRequest, type QuotaUse } from "../../services/Quota.ts"
import type { SqliteDatabase, SqliteFailure, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { Budget, placesOf } from "./Budget.ts"
import type { LogClock } from "./LogClock.ts"
import * as SpentLog from "./SpentLog.ts"
import { makeWaiter, type Waiter, WaitingLine } from "./WaitingLine.ts"

export interface LedgerOptions {
  readonly database: SqliteDatabase
  readonly log: LogClock
  /** Milliseconds of waiting that a point of priority is worth. */
  readonly priorityStep: number
  /** Priorities beyond it, either way, count as it. */
  readonly maxPriority: number
}

/** What one waiter has spent: the ids of its entries on disk and their instant. */
export interface Spent {
  readonly ids: ReadonlyArray<number>
  readonly at: number
}

export interface Taken {
  readonly waiter: Waiter
  readonly spent: Spent
}

/** Appended entries after which old ones are deleted, a step at a time. */
const pruneEvery = 256
/** How long to tell those to wait who find every place in flight taken: when one will be free cannot be known. */
const inFlightRetry = 1_000

/**
 * The books of one account: its line of waiters and its log, in memory and on disk. The copy in memory holds what is on disk up
 * to the entry `seen`; every take reads on from there within its own transaction, so that what other processes on the same file
 * have spent is known before anything is let go. Not safe for concurrent use; Account sees to that.
 */
export class Ledger {
  readonly account: string
  private readonly options: LedgerOptions
  private budget = new Budget({ windows: [], maxInFlight: null })
  readonly line = new WaitingLine(this.budget)
  private sequence = 0
  private seen = 0
  private appended = pruneEvery

  constructor(account: string, options: LedgerOptions) {
    this.account = account
    this.options = options
  }

  get policy(): QuotaPolicy {
    return this.budget.policy
  }

  /** Whole milliseconds, rounded down: what is compared. What is logged is rounded up. */
  get now(): number {
    return Math.floor(this.options.log.now())
  }

  /** Milliseconds since the waiter arrived. */
  waited(waiter: Waiter): number {
    return Math.max(0, Math.round(this.options.log.now() - waiter.arrived))
  }

  makeWaiter(request: QuotaRequest): Waiter {
    const { maxPriority, priorityStep, log } = this.options
    const priority = Math.max(-maxPriority, Math.min(maxPriority, request.priority || 0))
    const arrived = log.now()
    return makeWaiter({
      weight: request.weight,
      places: placesOf(request),
      arrived,
      rank: arrived - priority * priorityStep,
      sequence: this.sequence++
    })
  }

  neverFits(waiter: Waiter): NeverFits | null {
    const window = this.budget.tooSmall(waiter.places, waiter.weight)
    return window === null
      ? null
      : new NeverFits({ account: this.account, window: window.name, weight: waiter.weight, limit: window.limit })
  }

  /** Keeps the line, over other windows; the log is read again from the disk, since it may count in other places now. */
  setPolicy(policy: QuotaPolicy): Effect.Effect<void, SqliteFailure> {
    return Effect.suspend(() => {
      this.budget = new Budget(policy)
      this.line.moveTo(this.budget)
      this.seen = 0
      return this.refresh
    })
  }

  /** Takes in what other processes, or an earlier one, have spent. */
  readonly refresh: Effect.Effect<void, SqliteFailure> = Effect.suspend(() =>
    this.budget.isBounded
      ? Effect.flatMap(
          this.options.database.read("Quota.refresh", (db) => this.readOn(db)),
          (more) => (more ? Effect.andThen(Effect.yieldNow, this.refresh) : Effect.void)
        )
      : Effect.void
  )

  /** Those who can start now, at most `places`, taken out of the line, with what they spend on disk already. */
  take(places: number): Effect.Effect<ReadonlyArray<Taken>, SqliteFailure> {
    return Effect.suspend(() => {
      const now = this.now
      const ready = this.line.startable(now, places)
      if (ready.length === 0 || !this.budget.isBounded) {
        return Effect.succeed(this.settle(ready.map((waiter) => ({ waiter, spent: { ids: [], at: now } }))))
      }
      return Effect.map(
        this.options.database.write("Quota.take", (db) => this.append(db, places)),
        (taken) => this.settle(taken)
      )
    })
  }

  /** Deletes what was spent in vain. Where the disk refuses it stays spent, which errs on the safe side. */
  giveBack({ waiter, spent }: Taken): Effect.Effect<void> {
    if (spent.ids.length === 0) return Effect.void
    const forget = Effect.sync(() => {
      this.budget.giveBack(waiter.counted, spent.at, waiter.weight)
      this.line.replan()
    })
    return this.options.database
      .write("Quota.giveBack", (db) => SpentLog.remove(db, spent.ids))
      .pipe(Effect.andThen(forget), Effect.ignore)
  }

  /** Takes a waiter out of the line, with the reason why it could not start at once. */
  refuse(waiter: Waiter): Pacing {
    const now = this.now
    this.line.planThrough(now, waiter)
    this.line.remove(waiter)
    // What is left of the plan are those ahead of it.
    const { at, window } = this.budget.earliest(waiter.counted, waiter.weight, now)
    return window === null
      ? new Pacing({ account: this.account, window: "requests in flight", retryAfter: inFlightRetry })
      : new Pacing({ account: this.account, window, retryAfter: Math.ceil(at - this.options.log.now()) })
  }

  /**
   * When each would start if they came now, one after the other, and places in flight were never short: milliseconds from now.
   * Plays it out on the line and the log themselves, and puts everything back.
   */
  forecast(waiters: ReadonlyArray<Waiter>): ReadonlyArray<number> {
    const now = this.now
    const started = new Set<Waiter>()
    for (const waiter of waiters) {
      this.line.insert(waiter)
      // Those who can start are gone before the next one comes; one that starts may let others start.
      for (let ready = this.startable(now); ready.length > 0; ready = this.startable(now)) {
        for (const each of ready) {
          this.line.started(each, now)
          started.add(each)
        }
      }
    }
    this.line.planThrough(now)
    const waits = waiters.map((waiter) => (started.has(waiter) ? 0 : waiter.planned - now))
    const imagined = new Set(waiters)
    for (const waiter of waiters.toReversed()) this.line.remove(waiter)
    for (const waiter of started) {
      this.budget.giveBack(waiter.counted, now, waiter.weight)
      if (!imagined.has(waiter)) this.line.insert(waiter)
    }
    this.line.replan()
    return waits
  }

  private startable(now: number): ReadonlyArray<Waiter> {
    return this.line.startable(now, Number.POSITIVE_INFINITY)
  }

  use(): QuotaUse["windows"] {
    return this.budget.use(this.now)
  }

  /** In a transaction: who fits now, after what others have spent; their entries are appended. */
  private append(db: SyncDatabase, places: number): ReadonlyArray<Taken> {
    for (let more = true; more; ) more = this.readOn(db)
    const reading = this.options.log.reading()
    const at = Math.ceil(reading.log)
    const taken = this.line.startable(Math.floor(reading.log), places).map((waiter) => ({
      waiter,
      spent: { ids: SpentLog.append(db, this.account, waiter.places, at, waiter.weight), at }
    }))
    SpentLog.writeClock(db, reading)
    if (this.appended >= pruneEvery && !SpentLog.prune(db, this.account, at - this.budget.longest - 1)) {
      this.appended = 0
    }
    return taken
  }

  /** After the commit. */
  private settle(taken: ReadonlyArray<Taken>): ReadonlyArray<Taken> {
    for (const { waiter, spent } of taken) {
      this.line.started(waiter, spent.at)
      this.appended += spent.ids.length
      this.seen = Math.max(this.seen, spent.ids.at(-1) ?? 0)
    }
    return taken
  }

  /** Reads a page of entries that are not in memory yet; true when there may be more. */
  private readOn(db: SyncDatabase): boolean {
    const reading = SpentLog.readClock(db)
    if (reading !== null) this.options.log.advanceTo(reading.log)
    const entries = SpentLog.entriesAfter(db, this.account, this.seen)
    for (const { id, place, at, weight } of entries) {
      this.seen = id
      this.budget.spend([place], at, weight)
    }
    if (entries.length > 0) this.line.replan()
    return entries.length === SpentLog.pageSize
  }
}
