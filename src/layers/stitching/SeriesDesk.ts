/**
 * What concurrent reads of one series share: the requests in flight, and how much of the archive is known to be applied.
 *
 * Queueing: planning and boarding happen under `planning`, one reader at a time, first come first served; nobody holds it while
 * a vendor is waited for. `refetching` lets one new generation be built at a time. `committing` is held by whoever compares an
 * answer about an adjusted series with the store and commits it, or publishes; never while a vendor is waited for, and never
 * together with `planning` except in that order.
 *
 * Hard cases: a flight leaves `flights` only after its rows and coverage are committed, and a planner looks at `flights` before
 * it looks at the store, so there is no instant at which a range is in neither. A reader that goes away leaves its flights; the
 * last one to leave abandons the flight and takes it out of sight at once, so that nobody boards it any more.
 */
import { Deferred, Effect, Semaphore } from "effect"
import type { RangePolicy } from "../../domain/Plan.ts"
import type { ResponseId } from "../../domain/Response.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { Failure } from "./failure.ts"
import type { KnownBasis } from "./KnownBasis.ts"
import type { RequestDraft } from "./planner.ts"

/** What a flight brought. `calls` counts what was asked of the vendor for it, `joined` what others were asking already. */
export interface Landing {
  readonly rows: number
  /** Rows of the answer that a lenient vendor dropped. */
  readonly rejected: number
  readonly calls: number
  readonly joined: number
  readonly failure: Failure | null
  /** The part of the range that failed, where an earlier page has answered for the rest; null: all of it. */
  readonly lost: TimeRange | null
}

/** Whether the vendor is asked whatever the archive has: for the answer, or only whether the one in the archive still holds. */
export type Asking = "the archive first" | "whether it changed" | "always"

/** One planned request on its way, for everybody who waits for it. */
export interface Flight extends RequestDraft {
  readonly id: string
  readonly asks: Asking
  readonly landed: Deferred.Deferred<Landing>
  readonly abandoned: Deferred.Deferred<void>
  /** Up to where its pages are in the store, and how many rows they had; `turned` when the next one is. */
  readonly pages: { until: EpochMillis; rows: number; turned: Deferred.Deferred<void> }
  waiting: number
}

export interface SeriesDesk {
  readonly planning: Semaphore.Semaphore
  readonly refetching: Semaphore.Semaphore
  readonly committing: Semaphore.Semaphore
  /** Held by whoever asks whether what was believed still holds: see confirm.ts. */
  readonly confirming: Semaphore.Semaphore
  /** What is known of the basis of an adjusted series; null: to be read from the archive's operations. */
  basis: KnownBasis | null
  /** When refetches began that an answer had asked for, and what became of the last: see rebase.ts. */
  readonly rebasing: { begun: Array<number>; failure: Failure | null; notBefore: number }
  readonly flights: Map<string, Flight>
  /** Those that have not landed, the abandoned ones too: what is archived of them is on its way into the store. */
  readonly aloft: Set<Flight>
  /** Answers above this id are looked for in the archive; all others are applied with this decoder version. */
  applied: { readonly decoderVersion: number; readonly upTo: number }
  /** Whether the operations that the archive has recorded are known to be done. */
  operated: boolean
  /** Answers above `applied.upTo` that need no second look: applied by a flight, unreadable, or of a refetch. */
  readonly settled: Set<ResponseId>
  departures: number
}

/** Nothing is known any more of what is applied: the next plan looks again. */
export const reset = (desk: SeriesDesk): void => {
  desk.applied = { decoderVersion: 0, upTo: 0 }
  desk.operated = false
  desk.basis = null
  desk.settled.clear()
}

export const make: Effect.Effect<SeriesDesk> = Effect.gen(function* () {
  return {
    planning: yield* Semaphore.make(1),
    refetching: yield* Semaphore.make(1),
    committing: yield* Semaphore.make(1),
    confirming: yield* Semaphore.make(1),
    basis: null,
    rebasing: { begun: [], failure: null, notBefore: 0 },
    flights: new Map(),
    aloft: new Set(),
    operated: false,
    applied: { decoderVersion: 0, upTo: 0 },
    settled: new Set(),
    departures: 0
  }
})

/** Whether something is known at it that would have to be found out again. */
export const knows = (desk: SeriesDesk): boolean =>
  desk.applied.upTo > 0 || desk.settled.size > 0 || desk.rebasing.begun.length > 0

/** What a policy asks the vendor: both `refresh` and `force` want to hear from it whatever the archive has. */
export const askingOf = (policy: RangePolicy): Asking =>
  policy === "force" ? "always" : policy === "refresh" ? "whether it changed" : "the archive first"

const news: Readonly<Record<Asking, number>> = { "the archive first": 0, "whether it changed": 1, always: 2 }

/** The flights over a range that a policy can wait for: one that the archive may answer will not do for who wants a new one. */
export const acceptable = (desk: SeriesDesk, policy: RangePolicy, range: TimeRange): ReadonlyArray<Flight> =>
  Array.from(desk.flights.values()).filter(
    (flight) =>
      news[flight.asks] >= news[askingOf(policy)] && flight.range.start < range.end && range.start < flight.range.end
  )

/** Puts requests on the board, with one waiting for each. */
export const depart = (desk: SeriesDesk, drafts: ReadonlyArray<RequestDraft>, asks: Asking): ReadonlyArray<Flight> =>
  drafts.map((draft) => {
    const flight: Flight = {
      ...draft,
      id: `flight-${++desk.departures}`,
      asks,
      landed: Deferred.makeUnsafe(),
      abandoned: Deferred.makeUnsafe(),
      pages: { until: draft.range.start, rows: 0, turned: Deferred.makeUnsafe() },
      waiting: 1
    }
    desk.flights.set(flight.id, flight)
    desk.aloft.add(flight)
    return flight
  })

/** A page of a flight that goes on is in the store. */
export const turn = ({ pages }: Flight, until: EpochMillis, rows: number): void => {
  const { turned } = pages
  pages.until = until
  pages.rows += rows
  pages.turned = Deferred.makeUnsafe()
  Deferred.doneUnsafe(turned, Effect.void)
}

export const land = (desk: SeriesDesk, flight: Flight, landing: Effect.Effect<Landing>): void => {
  desk.flights.delete(flight.id)
  desk.aloft.delete(flight)
  Deferred.doneUnsafe(flight.landed, landing)
}

/** Those that departed before one of them and have not landed, oldest first. Whoever waits for these alone is never waited for by them. */
export const aheadOf = (desk: SeriesDesk, flight: Flight): ReadonlyArray<Flight> => {
  const ahead: Array<Flight> = []
  for (const other of desk.aloft) {
    if (other === flight) break
    ahead.push(other)
  }
  return ahead
}

/** Waits until all of these have landed, whatever became of them. */
export const landedAll = (flights: ReadonlyArray<Flight>): Effect.Effect<void> =>
  Effect.forEach(flights, ({ landed }) => Effect.exit(Deferred.await(landed)), { discard: true })

/** One waits no longer. */
export const leave = (desk: SeriesDesk, flight: Flight): void => {
  flight.waiting--
  if (flight.waiting > 0 || Deferred.isDoneUnsafe(flight.landed)) return
  desk.flights.delete(flight.id)
  Deferred.doneUnsafe(flight.abandoned, Effect.void)
}
