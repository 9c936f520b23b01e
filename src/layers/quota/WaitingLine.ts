import type { Budget, Place } from "./Budget.ts"
import type { Holder } from "./SlidingLog.ts"

/** One who waits. Instants are in the log's time; only the line writes the fields that can change. */
export interface Waiter extends Holder {
  readonly weight: number
  /** Every place where the request counts, whether or not a window looks there today. */
  readonly places: ReadonlyArray<Place>
  readonly arrived: number
  /** The order of the line: lower first, then by `sequence`, which no two waiters share. */
  readonly rank: number
  readonly sequence: number
  /** When it will start; NaN while that is not planned. */
  planned: number
  /** The places that the present policy counts. */
  counted: ReadonlyArray<Place>
  kind: Kind
  /** Planned for later than the time of planning. */
  later: boolean
  /** The `latest` of its kind before it was planned. */
  latestBefore: number
}

/** Requests that weigh the same in the same places: of two, the one behind never starts before the one ahead. */
interface Kind {
  readonly name: string
  waiting: number
  /** How many are planned for later. */
  later: number
  /** The latest instant that one is planned for; nobody behind can start before it. */
  latest: number
}

const makeKind = (name: string): Kind => ({ name, waiting: 0, later: 0, latest: Number.NEGATIVE_INFINITY })

export const makeWaiter = (options: {
  readonly weight: number
  readonly places: ReadonlyArray<Place>
  readonly arrived: number
  readonly rank: number
  readonly sequence: number
}): Waiter => ({
  ...options,
  planned: Number.NaN,
  counted: [],
  kind: makeKind(""),
  later: false,
  latestBefore: Number.NEGATIVE_INFINITY
})

const isBefore = (a: Waiter, b: Waiter): boolean => a.rank < b.rank || (a.rank === b.rank && a.sequence < b.sequence)

/**
 * Those who wait for an account, in order, and the plan of when each will start.
 *
 * The rule: in the order of the line each gets the first instant that suits every window, given what is spent and what those
 * ahead will spend. So one may start before another that is ahead only where that does not move the one ahead by a
 * millisecond, and a heavy request keeps its turn however many light ones come after it.
 *
 * The plan covers the first part of the line, as far as it takes to know who can start now and when the next one can: once
 * some request of each kind is planned for later, nobody else can start before that. A change at some position gives up the
 * plan from there on.
 */
export class WaitingLine {
  private budget: Budget
  private line: Array<Waiter> = []
  /** How many are planned, counted from the head. */
  private planned = 0
  private readonly kinds = new Map<string, Kind>()
  /** How many kinds have one that is planned for later. */
  private settledKinds = 0
  /** Nobody is planned for earlier than this. */
  private soonest = Number.POSITIVE_INFINITY

  constructor(budget: Budget) {
    this.budget = budget
  }

  get length(): number {
    return this.line.length
  }

  get waiters(): ReadonlyArray<Waiter> {
    return this.line
  }

  insert(waiter: Waiter): void {
    waiter.counted = this.budget.counted(waiter.places)
    const name = JSON.stringify([waiter.weight, waiter.counted])
    waiter.kind = this.kinds.get(name) ?? makeKind(name)
    waiter.kind.waiting++
    this.kinds.set(name, waiter.kind)
    const index = this.indexOf(waiter)
    this.giveUpFrom(index)
    this.line.splice(index, 0, waiter)
  }

  /** Takes one out who will not start; those behind may move up. False when it is not in the line. */
  remove(waiter: Waiter): boolean {
    const index = this.indexOf(waiter)
    if (this.line[index] !== waiter) return false
    this.giveUpFrom(index)
    this.take(index)
    return true
  }

  /**
   * Takes one out who has started at `at`: what was planned for it is spent now, and the others keep their plan. For one who
   * has left in the meantime it is spent all the same.
   */
  started(waiter: Waiter, at: number): void {
    const index = this.indexOf(waiter)
    const stands = this.line[index] === waiter
    if (stands && index < this.planned) {
      const planned = waiter.planned
      this.forgetPlan(waiter)
      this.budget.dropUnplanned(waiter.counted, planned)
      this.planned--
    }
    if (stands) this.take(index)
    else this.giveUpFrom(0)
    this.budget.spend(waiter.counted, at, waiter.weight)
  }

  /** Gives up the plan: something was spent by others, or given back. */
  replan(): void {
    this.giveUpFrom(0)
  }

  /** Keeps the waiters and their order, over another budget. */
  moveTo(budget: Budget): void {
    const waiters = this.line
    this.giveUpFrom(0)
    this.budget = budget
    this.kinds.clear()
    this.line = []
    for (const waiter of waiters) this.insert(waiter)
  }

  /** Those who can start at `now`, at most `places` of them, in order. They stay until `started` is called. */
  startable(now: number, places: number): ReadonlyArray<Waiter> {
    this.giveUpOverdue(now)
    const ready: Array<Waiter> = []
    while (ready.length < places && this.planned < this.line.length && this.settledKinds < this.kinds.size) {
      const waiter = this.planNext(now)
      if (waiter !== undefined && !waiter.later) ready.push(waiter)
    }
    return ready
  }

  /** Plans everyone up to `waiter`; without one, the whole line. */
  planThrough(now: number, waiter?: Waiter): void {
    this.giveUpOverdue(now)
    while (this.planned < this.line.length && (waiter === undefined || Number.isNaN(waiter.planned))) this.planNext(now)
  }

  /** The first instant that somebody is planned for; null when nobody is. */
  get nextStart(): number | null {
    const next = this.soonestAfter(Number.NEGATIVE_INFINITY)
    return Number.isFinite(next) ? next : null
  }

  private planNext(now: number): Waiter | undefined {
    const waiter = this.line[this.planned]
    if (waiter === undefined) return undefined
    const kind = waiter.kind
    waiter.planned = this.budget.earliest(waiter.counted, waiter.weight, Math.max(now, kind.latest)).at
    waiter.later = waiter.planned > now
    waiter.latestBefore = kind.latest
    kind.latest = waiter.planned
    if (waiter.later && kind.later++ === 0) this.settledKinds++
    this.budget.plan(waiter.counted, waiter.planned, waiter.weight, waiter)
    this.planned++
    if (waiter.planned < this.soonest) this.soonest = waiter.planned
    return waiter
  }

  private forgetPlan(waiter: Waiter): void {
    if (waiter.later && --waiter.kind.later === 0) this.settledKinds--
    waiter.planned = Number.NaN
    waiter.later = false
  }

  /** Whoever was planned for a time that has come is planned again from now, and so is everyone behind. */
  private giveUpOverdue(now: number): void {
    if (this.soonest > now) return
    const overdue = this.line.findIndex((waiter, index) => index >= this.planned || waiter.planned <= now)
    if (overdue >= 0) this.giveUpFrom(overdue)
    this.soonest = this.soonestAfter(now)
  }

  private soonestAfter(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.planned; i++) {
      const planned = this.line[i]?.planned ?? next
      if (planned > now && planned < next) next = planned
    }
    return next
  }

  private giveUpFrom(index: number): void {
    if (index >= this.planned) return
    let earliest = Number.POSITIVE_INFINITY
    const places = new Map<string, Place>()
    for (let i = this.planned - 1; i >= index; i--) {
      const waiter = this.line[i]
      if (waiter === undefined) continue
      earliest = Math.min(earliest, waiter.planned)
      waiter.kind.latest = waiter.latestBefore
      this.forgetPlan(waiter)
      for (const place of waiter.counted) places.set(`${place.key ?? ""}\u0000${place.value}`, place)
    }
    this.planned = index
    this.budget.dropUnplanned(Array.from(places.values()), earliest)
  }

  private take(index: number): void {
    const [waiter] = this.line.splice(index, 1)
    if (waiter !== undefined && --waiter.kind.waiting === 0) this.kinds.delete(waiter.kind.name)
  }

  /** Where `waiter` stands, or would stand. */
  private indexOf(waiter: Waiter): number {
    let low = 0
    let high = this.line.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.line[middle]
      if (other !== undefined && isBefore(other, waiter)) low = middle + 1
      else high = middle
    }
    return low
  }
}
