/**
 * The budget of one account while it is in use.
 *
 * Responsibilities: who may start now, who waits, who is in flight. What a request spends is on disk before it is let go.
 *
 * Queueing: the line (see WaitingLine) holds at most `maxWaiting`; beyond, a request fails at once. A point of priority is worth
 * `priorityStep` milliseconds of waiting, so a request is overtaken only by those that arrive within
 * (their priority - its own) x `priorityStep` after it, however many they are: nobody waits for ever. One fiber at a time takes
 * from the log; who comes meanwhile joins the line and is seen to by that fiber before it ends.
 *
 * Hard cases:
 * - A waiter that is interrupted while its entry is being written, or after it was let go but before it could run, gives
 *   everything back: it has sent nothing.
 * - Another process on the same file may have spent since: each take reads the new entries in its own transaction, plans
 *   again, and lets go only those who still fit.
 * - When the log cannot be written all who wait fail, and nothing was taken.
 * - A timer may fire early, or for one who has left: then nobody can start, and it is set again.
 */
import { type Clock, Deferred, Duration, Effect, type Fiber, type Scope, Semaphore } from "effect"
import {
  type QuotaError,
  type QuotaPolicy,
  type QuotaRequest,
  type QuotaUse,
  WaitersFull
} from "../../services/Quota.ts"
import type { SqliteFailure } from "../sqlite/SqliteDatabase.ts"
import { Ledger, type LedgerOptions, type Spent, type Taken } from "./Ledger.ts"
import { failed, unavailable } from "./quotaErrors.ts"
import type { Waiter } from "./WaitingLine.ts"

/** What all accounts of one quota share. */
export interface Shared extends LedgerOptions {
  readonly clock: Clock.Clock
  /** Timers live here. */
  readonly scope: Scope.Scope
  readonly maxWaiting: number
}

/** A request in the line, or let go. */
export interface Ticket {
  readonly waiter: Waiter
  /** Completed with the milliseconds waited. */
  readonly granted: Deferred.Deferred<number, QuotaError>
  /** Null until it was let go. */
  spent: Spent | null
}

interface Timer {
  readonly at: number
  fiber: Fiber.Fiber<void> | null
}

export class Account {
  private readonly shared: Shared
  private readonly ledger: Ledger
  private readonly semaphore = Semaphore.makeUnsafe(1)
  private readonly tickets = new Map<Waiter, Ticket>()
  private inFlight = 0
  private timer: Timer | null = null
  /** How many hold the semaphore or wait for it, and whether they were asked for another turn. */
  private busy = 0
  private again = false

  constructor(name: string, shared: Shared) {
    this.shared = shared
    this.ledger = new Ledger(name, shared)
  }

  /** True when nothing ever makes a request of this account wait. */
  get isFree(): boolean {
    return this.ledger.policy.windows.length === 0 && this.ledger.policy.maxInFlight === null
  }

  /** For free accounts: no order, no disk. */
  readonly enterFree: Effect.Effect<void> = Effect.sync(() => {
    this.inFlight++
  })

  /** Gives back the place in flight; the next in line may start. */
  readonly leave: Effect.Effect<void> = Effect.suspend(() => {
    this.inFlight--
    return this.ledger.line.length === 0 ? Effect.void : this.takeTurn
  })

  /** Joins the line, and starts at once where that is possible. To be called uninterruptibly; then `leave` or `withdraw`. */
  enter(request: QuotaRequest): Effect.Effect<Ticket, QuotaError> {
    return Effect.suspend(() => {
      const waiting = this.ledger.line.length
      return waiting >= this.shared.maxWaiting
        ? failed(new WaitersFull({ account: this.ledger.account, waiting }))
        : Effect.tap(this.join(request), () => this.takeTurn)
    })
  }

  /** As `enter`, but fails where it would have to wait. */
  tryEnter(request: QuotaRequest): Effect.Effect<Ticket, QuotaError> {
    return this.exclusively(
      Effect.gen({ self: this }, function* () {
        const ticket = yield* this.join(request)
        yield* this.turn
        if (Deferred.isDoneUnsafe(ticket.granted)) return yield* Effect.as(Deferred.await(ticket.granted), ticket)
        this.tickets.delete(ticket.waiter)
        // Those behind it were planned around it.
        this.again = true
        return yield* failed(this.ledger.refuse(ticket.waiter))
      })
    )
  }

  /** For a ticket that will not be used: it leaves the line, or gives back what it was let go with. */
  withdraw(ticket: Ticket): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { waiter, spent } = ticket
      if (this.forget(waiter)) return this.takeTurn
      if (spent === null) return Effect.void
      this.inFlight--
      return Effect.andThen(this.ledger.giveBack({ waiter, spent }), this.takeTurn)
    })
  }

  configure(policy: QuotaPolicy): Effect.Effect<void, SqliteFailure> {
    const refuseImpossible = Effect.sync(() => {
      for (const [waiter, ticket] of Array.from(this.tickets)) {
        const never = this.ledger.neverFits(waiter)
        if (never !== null && this.forget(waiter)) Deferred.doneUnsafe(ticket.granted, failed(never))
      }
    })
    return this.exclusively(
      Effect.suspend(() =>
        JSON.stringify(policy) === JSON.stringify(this.ledger.policy)
          ? Effect.void
          : this.ledger.setPolicy(policy).pipe(Effect.andThen(refuseImpossible), Effect.andThen(this.turn))
      )
    )
  }

  forecast(requests: ReadonlyArray<QuotaRequest>): Effect.Effect<ReadonlyArray<number>, QuotaError> {
    const simulate = Effect.suspend(() => {
      const waiters = requests.map((request) => this.ledger.makeWaiter(request))
      const never = waiters.map((waiter) => this.ledger.neverFits(waiter)).find((reason) => reason !== null)
      return never === undefined ? Effect.succeed(this.ledger.forecast(waiters)) : failed(never)
    })
    return this.exclusively(Effect.andThen(Effect.mapError(this.ledger.refresh, unavailable), simulate))
  }

  readonly use: Effect.Effect<Omit<QuotaUse, "breaker">, SqliteFailure> = Effect.suspend(() =>
    this.exclusively(
      Effect.map(this.ledger.refresh, () => ({
        account: this.ledger.account,
        windows: this.ledger.use(),
        inFlight: this.inFlight,
        waiting: this.ledger.line.length
      }))
    )
  )

  /** Fails all who wait. */
  rejectAll(error: QuotaError): void {
    const rejected = Array.from(this.tickets.values())
    // All of them leave the line before the first one hears of it, so that none starts because another has gone.
    for (const { waiter } of rejected) this.forget(waiter)
    for (const { granted } of rejected) Deferred.doneUnsafe(granted, Effect.fail(error))
  }

  private join(request: QuotaRequest): Effect.Effect<Ticket, QuotaError> {
    return Effect.suspend(() => {
      const waiter = this.ledger.makeWaiter(request)
      const never = this.ledger.neverFits(waiter)
      if (never !== null) return failed(never)
      const ticket: Ticket = { waiter, granted: Deferred.makeUnsafe(), spent: null }
      this.ledger.line.insert(waiter)
      this.tickets.set(waiter, ticket)
      return Effect.succeed(ticket)
    })
  }

  private forget(waiter: Waiter): boolean {
    this.tickets.delete(waiter)
    return this.ledger.line.remove(waiter)
  }

  private get freePlaces(): number {
    const most = this.ledger.policy.maxInFlight
    return most === null ? Number.POSITIVE_INFINITY : most - this.inFlight
  }

  /** Has a turn taken: by whoever is at work on this account, else here and now. Nobody who joins the line has to wait for it. */
  private readonly takeTurn: Effect.Effect<void> = Effect.suspend(() => {
    if (this.busy === 0) return this.exclusively(this.turn)
    this.again = true
    return Effect.void
  })

  private exclusively<A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const finish: Effect.Effect<void> = Effect.suspend(() => {
      if (this.again) {
        this.again = false
        return Effect.andThen(this.turn, finish)
      }
      this.busy--
      return Effect.void
    })
    return Effect.suspend(() => {
      this.busy++
      return Effect.uninterruptible(this.semaphore.withPermit(Effect.ensuring(work, finish)))
    })
  }

  /** Lets go all who can start now, then sets the timer for the next one. */
  private readonly turn: Effect.Effect<void> = Effect.suspend(() => {
    if (this.ledger.line.length === 0 || this.freePlaces <= 0) return Effect.void
    return Effect.matchEffect(this.ledger.take(this.freePlaces), {
      onFailure: (failure) => Effect.sync(() => this.rejectAll(unavailable(failure))),
      onSuccess: (taken) => {
        if (taken.length === 0) return this.wakeAt(this.ledger.line.nextStart)
        return Effect.andThen(
          Effect.forEach(taken, (each) => this.letGo(each), { discard: true }),
          this.turn
        )
      }
    })
  })

  private letGo({ waiter, spent }: Taken): Effect.Effect<void> {
    const ticket = this.tickets.get(waiter)
    // It was withdrawn while its entry was written.
    if (ticket === undefined) return this.ledger.giveBack({ waiter, spent })
    this.tickets.delete(waiter)
    this.inFlight++
    ticket.spent = spent
    Deferred.doneUnsafe(ticket.granted, Effect.succeed(this.ledger.waited(waiter)))
    return Effect.void
  }

  private wakeAt(at: number | null): Effect.Effect<void> {
    if (at === null || (this.timer !== null && this.timer.at <= at)) return Effect.void
    this.timer?.fiber?.interruptUnsafe()
    const timer: Timer = { at, fiber: null }
    this.timer = timer
    const wake = Effect.suspend(() => {
      if (this.timer === timer) this.timer = null
      return this.takeTurn
    })
    const remember = (fiber: Fiber.Fiber<void>) =>
      Effect.sync(() => {
        timer.fiber = fiber
      })
    return Effect.interruptible(this.shared.clock.sleep(Duration.millis(at - this.shared.log.now()))).pipe(
      Effect.andThen(wake),
      Effect.forkIn(this.shared.scope, { startImmediately: true, uninterruptible: true }),
      Effect.flatMap(remember)
    )
  }
}
