/**
 * Quota over a SQLite file: sliding logs that a restart does not forget, a line of waiters per account, a breaker per account.
 *
 * Responsibilities: this file joins the parts and owns their life. Account is the budget in use, WaitingLine the order and the
 * plan of those who wait, Budget and SlidingLog the windows, LogClock their time, SpentLog the file, VendorBreaker the breakers.
 *
 * Queueing rule and hard cases: see Account. Several processes may share the file; each counts its own requests in flight and
 * orders its own line. An account that was never configured, or has no windows and no bound in flight, is never made to wait and
 * never touches the disk.
 */
import { Clock, Deferred, Effect, Layer, Scope } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { Quota, type QuotaError, type QuotaRequest, type Reservation } from "../../services/Quota.ts"
import { Account, type Shared, type Ticket } from "./Account.ts"
import { LogClock } from "./LogClock.ts"
import { unavailable } from "./quotaErrors.ts"
import * as Rests from "./Rests.ts"
import * as SpentLog from "./SpentLog.ts"
import * as VendorBreaker from "./VendorBreaker.ts"

export interface QuotaOptions {
  /** The file of the log, made when it is not there; its folder must exist. */
  readonly filename: string
  /** Most who may wait for one account. */
  readonly maxWaiting?: number
  /** Milliseconds of waiting that a point of priority is worth. */
  readonly priorityStep?: number
  readonly breaker?: Partial<VendorBreaker.BreakerOptions>
  /** The longest rest (see `Quota.rest`) that a request waits for, in milliseconds. */
  readonly restPatience?: number
}

export const defaults = { maxWaiting: 10_000, priorityStep: 60_000, maxPriority: 100, restPatience: 60_000 }

const noWait: Reservation = { waited: 0 }

const make = Effect.fnUntraced(function* (options: QuotaOptions) {
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const database = yield* Effect.mapError(SpentLog.open(options.filename), unavailable)
  const saved = yield* Effect.mapError(database.read("Quota.open", SpentLog.readClock), unavailable)
  const breaker = yield* VendorBreaker.make({ ...VendorBreaker.defaults, ...options.breaker })
  const shared: Shared = {
    database,
    clock,
    scope,
    log: new LogClock(clock, saved),
    maxWaiting: options.maxWaiting ?? defaults.maxWaiting,
    priorityStep: options.priorityStep ?? defaults.priorityStep,
    maxPriority: defaults.maxPriority
  }
  const rests = yield* Effect.mapError(Rests.make(database, shared.log), unavailable)
  const patience = options.restPatience ?? defaults.restPatience
  const accounts = new Map<string, Account>()

  const accountOf = (name: string): Account => {
    const known = accounts.get(name)
    if (known !== undefined) return known
    const account = new Account(name, shared)
    accounts.set(name, account)
    return account
  }

  yield* Effect.addFinalizer(() => {
    for (const account of accounts.values()) account.rejectAll(unavailable({ message: "the quota has been closed" }))
    // Kept so that a wall clock that was set since the last take does not pass for time gone by.
    return Effect.ignore(database.write("Quota.close", (db) => SpentLog.writeClock(db, shared.log.reading())))
  })

  const hold = (account: Account) => Effect.flatMap(Effect.scope, (held) => Scope.addFinalizer(held, account.leave))

  const free = (account: Account) =>
    Effect.as(
      Effect.acquireRelease(account.enterFree, () => account.leave),
      noWait
    )

  const settle = (account: Account, enter: Effect.Effect<Ticket, QuotaError>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const ticket = yield* enter
        const waited = yield* restore(Deferred.await(ticket.granted)).pipe(
          Effect.onError(() => account.withdraw(ticket))
        )
        yield* hold(account)
        return { waited }
      })
    )

  const reserve = (name: string, request: QuotaRequest): Effect.Effect<Reservation, QuotaError, Scope.Scope> =>
    Effect.suspend(() => {
      const account = accountOf(name)
      const enter = account.isFree ? free(account) : settle(account, account.enter(request))
      return rests.left(name) === 0 ? enter : Effect.andThen(rests.over(name, patience), reserve(name, request))
    })

  const tryReserve = (name: string, request: QuotaRequest): Effect.Effect<Reservation, QuotaError, Scope.Scope> =>
    Effect.suspend(() => {
      const account = accountOf(name)
      const enter = account.isFree ? free(account) : settle(account, account.tryEnter(request))
      return rests.left(name) === 0 ? enter : Effect.andThen(rests.over(name, 0), enter)
    })

  return Quota.of({
    // In memory, and for every plan: a span and its stack trace would cost more than that.
    configure: (name, policy) => Effect.suspend(() => Effect.mapError(accountOf(name).configure(policy), unavailable)),
    reserve,
    tryReserve,
    forecast: (name, requests) =>
      Effect.suspend(() =>
        Effect.map(accountOf(name).forecast(requests), (waits) => {
          const rest = rests.left(name)
          return rest === 0 ? waits : waits.map((wait) => Math.max(wait, rest))
        })
      ),
    rest: Effect.fn("Quota.rest")((name, millis) => Effect.mapError(rests.begin(name, millis), unavailable)),
    guard: breaker.guard,
    use: Effect.fn("Quota.use")(function* (name) {
      // Asking about an account does not make it known.
      const account = accounts.get(name) ?? new Account(name, shared)
      const use = yield* Effect.mapError(account.use, unavailable)
      const rest = rests.left(name)
      return { ...use, breaker: yield* breaker.state(name), ...(rest === 0 ? {} : { restsFor: rest }) }
    })
  })
})

/** The folder of `filename` must exist. */
export const layer = (options: QuotaOptions): Layer.Layer<Quota, QuotaError> =>
  Layer.effect(Quota, make(options)).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))
