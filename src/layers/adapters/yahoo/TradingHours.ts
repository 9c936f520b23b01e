import type { SessionScope } from "../../../domain/SeriesKey.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import type { ZoneClock } from "../../../domain/ZoneClock.ts"
import type { ChartMeta, Period } from "./ChartMeta.ts"

const day = 86_400_000

interface Day {
  /** The local day, as UTC instants. */
  readonly from: EpochMillis
  readonly until: EpochMillis
  /** Regular trading of the day; null where nothing is known of it. */
  readonly open: EpochMillis | null
  readonly close: EpochMillis | null
}

const nowhere: Day = { from: 0, until: 0, open: null, close: null }

/**
 * Which rows of an intraday chart are of regular trading, and where its bars begin. The chart's own `tradingPeriods` say it; of
 * a day that they leave out, the times of day of the current one do. An instrument that has no trading outside of regular hours
 * is not looked into: its periods leave out real rows (the last minute of a day that never closes, a closing auction).
 */
export class TradingHours {
  private readonly clock: ZoneClock
  private readonly listed = new Map<number, { readonly open: EpochMillis; readonly close: EpochMillis }>()
  private readonly usual: { readonly open: number; readonly close: number } | null
  private readonly filters: boolean
  private current: Day = nowhere

  constructor(meta: ChartMeta, clock: ZoneClock) {
    this.clock = clock
    const periods = meta.tradingPeriods
    const regular = periods === undefined || periods === null ? [] : "regular" in periods ? periods.regular : periods
    for (const { start, end } of regular.flat()) {
      this.listed.set(this.dateOf(start * 1000), { open: start * 1000, close: end * 1000 })
    }
    const now = meta.currentTradingPeriod?.regular
    this.usual = now === undefined ? null : this.timesOf(now)
    this.filters = meta.hasPrePostMarketData !== false && (this.listed.size > 0 || this.usual !== null)
  }

  private dateOf(instant: EpochMillis): number {
    return Math.floor((instant + this.clock.offsetAt(instant)) / day) * day
  }

  private timesOf({ start, end }: Period) {
    const date = this.dateOf(start * 1000)
    const local = (seconds: number) => seconds * 1000 + this.clock.offsetAt(seconds * 1000) - date
    return { open: local(start), close: local(end) }
  }

  private dayOf(instant: EpochMillis): Day {
    if (instant >= this.current.from && instant < this.current.until) return this.current
    const date = this.dateOf(instant)
    const from = this.clock.first(date)
    const until = this.clock.first(date + day)
    const listed = this.listed.get(date)
    const usual = this.usual
    this.current =
      listed !== undefined
        ? { from, until, ...listed }
        : usual !== null
          ? { from, until, open: this.clock.first(date + usual.open), close: this.clock.first(date + usual.close) }
          : { from, until, open: null, close: null }
    return this.current
  }

  /** Whether a row belongs to the part of the trading day that was asked for. */
  covers(instant: EpochMillis, session: SessionScope): boolean {
    if (session === "all") return true
    if (!this.filters) return session === "regular"
    const { close, open } = this.dayOf(instant)
    const regular = open === null || close === null || (instant >= open && instant < close)
    return regular === (session === "regular")
  }

  /** Whether it is outside of the regular hours of its day; false where these are not known. */
  isClosedAt(instant: EpochMillis): boolean {
    const { close, open } = this.dayOf(instant)
    return open !== null && close !== null && (instant < open || instant >= close)
  }

  /**
   * When the bar of `length` milliseconds begins that holds an instant. Bars are counted from the opening of the day, those after
   * its close from there, and those before it from the hour.
   */
  barOf(instant: EpochMillis, length: number): EpochMillis {
    const { close, open } = this.dayOf(instant)
    const origin = open === null || close === null || instant < open ? 0 : instant < close ? open : close
    return origin + Math.floor((instant - origin) / length) * length
  }
}
