import type { QuotaWindow } from "../../domain/VendorLimits.ts"
import type { QuotaPolicy, QuotaRequest, QuotaUse } from "../../services/Quota.ts"
import { type Holder, SlidingLog } from "./SlidingLog.ts"

/** A place where weight is counted: the account as a whole (`key` null, `value` empty), or one value of a key. */
export interface Place {
  readonly key: string | null
  readonly value: string
}

interface KeyedLogs {
  readonly windows: ReadonlyArray<QuotaWindow>
  /** The longest span of the windows; what is older is forgotten. */
  readonly longest: number
  readonly logs: Map<string, SlidingLog>
  /** How many logs there may be before the empty ones are looked for. */
  sweepAt: number
}

const sweepFloor = 256

/** Everywhere a request counts, whether or not a window looks there today: a policy may be replaced. */
export const placesOf = (request: QuotaRequest): ReadonlyArray<Place> => [
  { key: null, value: "" },
  ...Object.entries(request.keys).map(([key, value]) => ({ key, value }))
]

/**
 * The windows of one account over its logs. Windows with the same key read the same log; each looks back over its own span.
 */
export class Budget {
  readonly policy: QuotaPolicy
  /** The longest span of all windows; 0 without windows. */
  readonly longest: number
  private readonly byKey = new Map<string | null, KeyedLogs>()

  constructor(policy: QuotaPolicy) {
    this.policy = policy
    this.longest = policy.windows.reduce((longest, window) => Math.max(longest, window.span), 0)
    for (const [key, windows] of Map.groupBy(policy.windows, (window) => window.key)) {
      const longest = windows.reduce((most, window) => Math.max(most, window.span), 0)
      this.byKey.set(key, { windows, longest, logs: new Map(), sweepAt: sweepFloor })
    }
  }

  get isBounded(): boolean {
    return this.byKey.size > 0
  }

  /** The places that some window of this policy counts. */
  counted(places: ReadonlyArray<Place>): ReadonlyArray<Place> {
    return places.filter((place) => this.byKey.has(place.key))
  }

  /** A window that never holds `weight`; null when each can. */
  tooSmall(places: ReadonlyArray<Place>, weight: number): QuotaWindow | null {
    for (const place of places) {
      for (const window of this.byKey.get(place.key)?.windows ?? []) {
        if (!(weight >= 0 && weight <= window.limit)) return window
      }
    }
    return null
  }

  /** The first instant from `from` on that suits every window, and the window that set it (null: none did). */
  earliest(places: ReadonlyArray<Place>, weight: number, from: number): { at: number; window: string | null } {
    let at = from
    let binding: string | null = null
    for (let settled = false; !settled; ) {
      settled = true
      for (const place of places) {
        const keyed = this.byKey.get(place.key)
        const log = keyed?.logs.get(place.value)
        if (keyed === undefined || log === undefined) continue
        for (const window of keyed.windows) {
          const next = log.earliest(weight, window, at)
          if (next <= at) continue
          at = next
          binding = window.name
          settled = false
        }
      }
    }
    return { at, window: binding }
  }

  /** Records what is spent at `at`, which is now. */
  spend(places: ReadonlyArray<Place>, at: number, weight: number): void {
    this.forEachLog(places, (log, keyed) => {
      // One millisecond is spared because instants are logged rounded up and compared rounded down.
      log.prune(at - keyed.longest - 1)
      log.add(at, weight, null)
    })
    for (const keyed of this.byKey.values()) sweep(keyed, at)
  }

  plan(places: ReadonlyArray<Place>, at: number, weight: number, holder: Holder): void {
    this.forEachLog(places, (log) => log.add(at, weight, holder))
  }

  giveBack(places: ReadonlyArray<Place>, at: number, weight: number): void {
    for (const place of places) this.byKey.get(place.key)?.logs.get(place.value)?.giveBack(at, weight)
  }

  /** Drops what was planned at these places from `from` on and has been given up. */
  dropUnplanned(places: ReadonlyArray<Place>, from: number): void {
    for (const place of places) this.byKey.get(place.key)?.logs.get(place.value)?.dropUnplanned(from)
  }

  use(at: number): QuotaUse["windows"] {
    return this.policy.windows.flatMap((window) => {
      const logs = this.byKey.get(window.key)?.logs ?? new Map<string, SlidingLog>()
      const row = (key: string | null, used: number) => ({
        name: window.name,
        key,
        used,
        limit: window.limit,
        span: window.span
      })
      if (window.key === null) return [row(null, logs.get("")?.used(at, window.span) ?? 0)]
      return Array.from(logs, ([value, log]) => row(value, log.used(at, window.span))).filter(({ used }) => used > 0)
    })
  }

  private forEachLog(places: ReadonlyArray<Place>, f: (log: SlidingLog, keyed: KeyedLogs) => void): void {
    for (const place of places) {
      const keyed = this.byKey.get(place.key)
      if (keyed === undefined) continue
      const known = keyed.logs.get(place.value)
      const log = known ?? new SlidingLog()
      if (known === undefined) keyed.logs.set(place.value, log)
      f(log, keyed)
    }
  }
}

/** Drops the logs in which nothing counts any more, each time their number has doubled. */
const sweep = (keyed: KeyedLogs, now: number): void => {
  if (keyed.logs.size < keyed.sweepAt) return
  for (const [value, log] of keyed.logs) {
    log.prune(now - keyed.longest - 1)
    if (log.isEmpty) keyed.logs.delete(value)
  }
  keyed.sweepAt = Math.max(sweepFloor, keyed.logs.size * 2)
}
