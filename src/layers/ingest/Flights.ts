/**
 * Identical requests in flight are one, in the whole process.
 *
 * Responsibilities: a flight per key, run once in the scope of the layer and not in that of whoever came first; every passenger
 * gets its exit. Queueing: none; boarding is one synchronous step, so two callers can never both find the board empty.
 *
 * Hard cases: the last passenger who leaves interrupts the flight and takes it off the board in the same step, so the next
 * caller starts afresh. Once bytes have begun to arrive the flight goes on without passengers, and whoever comes meanwhile
 * joins it. A caller who looked into the archive, found nothing, and boards after a flight landed in between would fetch
 * again what has just been archived: it says how many had landed when it looked, and is sent back when there are more. Closing the scope interrupts what is in flight.
 */
import { Deferred, Effect, Fiber, type Scope } from "effect"

/** What the work of a flight may say and ask of its passengers. */
export interface Cockpit {
  /** Bytes have begun to arrive: do not interrupt any more. */
  readonly bytesBegan: () => void
  /** The bytes are archived; what follows (another attempt) is of use only to those who still wait. */
  readonly bytesArchived: () => void
  readonly isWanted: () => boolean
}

interface Flight<A, E> {
  readonly landing: Deferred.Deferred<A, E>
  passengers: number
  receiving: boolean
  fiber: Fiber.Fiber<unknown> | null
}

export interface Boarded<A, E> {
  /** True for the passenger whose work is being done. */
  readonly first: boolean
  readonly landing: Effect.Effect<A, E>
}

export interface Flights<A, E> {
  /** Counts flights that ended. */
  readonly landings: () => number
  /**
   * Boards the flight of this key, or starts one, and stays aboard while `use` runs. Null, and nothing is done, when none is
   * in flight and one has landed since there were `since` landings (null: no matter).
   */
  readonly board: <B, E2, R>(
    key: string,
    since: number | null,
    work: (cockpit: Cockpit) => Effect.Effect<A, E>,
    use: (boarded: Boarded<A, E>) => Effect.Effect<B, E2, R>
  ) => Effect.Effect<B | null, E2, R>
}

export const make = Effect.fnUntraced(function* <A, E>(): Effect.fn.Return<Flights<A, E>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const flights = new Map<string, Flight<A, E>>()
  let landings = 0

  const takeOff = (key: string, flight: Flight<A, E>) => {
    if (flights.get(key) === flight) flights.delete(key)
  }

  const start = (key: string, flight: Flight<A, E>, work: (cockpit: Cockpit) => Effect.Effect<A, E>) =>
    work({
      bytesBegan: () => {
        flight.receiving = true
      },
      bytesArchived: () => {
        flight.receiving = false
      },
      isWanted: () => flight.passengers > 0
    }).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          takeOff(key, flight)
          landings += 1
          Deferred.doneUnsafe(flight.landing, exit)
        })
      ),
      Effect.exit,
      Effect.interruptible,
      Effect.forkIn(scope, { startImmediately: true }),
      Effect.flatMap((fiber) =>
        Effect.sync(() => {
          flight.fiber = fiber
        })
      )
    )

  const leave = (key: string, flight: Flight<A, E>) =>
    Effect.suspend(() => {
      flight.passengers -= 1
      if (flight.passengers > 0 || flight.receiving || Deferred.isDoneUnsafe(flight.landing)) return Effect.void
      takeOff(key, flight)
      return flight.fiber === null ? Effect.void : Fiber.interrupt(flight.fiber)
    })

  const board: Flights<A, E>["board"] = (key, since, work, use) =>
    Effect.acquireUseRelease(
      Effect.suspend(() => {
        const found = flights.get(key)
        if (found !== undefined) {
          found.passengers += 1
          return Effect.succeed({ flight: found, first: false })
        }
        if (since !== null && since !== landings) return Effect.succeed(null)
        const flight: Flight<A, E> = {
          landing: Deferred.makeUnsafe<A, E>(),
          passengers: 1,
          receiving: false,
          fiber: null
        }
        flights.set(key, flight)
        return Effect.as(start(key, flight, work), { flight, first: true })
      }),
      (aboard) =>
        aboard === null
          ? Effect.succeed(null)
          : use({ first: aboard.first, landing: Deferred.await(aboard.flight.landing) }),
      (aboard) => (aboard === null ? Effect.void : leave(key, aboard.flight))
    )

  return { landings: () => landings, board }
})
