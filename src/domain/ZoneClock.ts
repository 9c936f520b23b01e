import { DateTime, Option } from "effect"

const hour = 3_600_000
const day = 24 * hour
const chunk = 64 * day
// Brazil's north once went forward and back within a week.
const step = 4 * day
/** Zones of exchanges, whose changes have been months apart since 1970: there are fewer places to look. */
const steady: ReadonlySet<string> = new Set(["America/New_York", "America/Chicago", "Europe/London", "Asia/Hong_Kong"])
const steadyStep = 32 * day
const quarter = hour / 4

/** A stretch of UTC instants over which a zone keeps one offset (milliseconds to add to UTC). */
interface Segment {
  readonly from: number
  readonly until: number
  readonly offset: number
}

/** What a local time means: one instant, two (clocks went back), or none (clocks went forward). */
export type LocalInstant =
  | { readonly _tag: "Once"; readonly at: number }
  | { readonly _tag: "Twice"; readonly earlier: number; readonly later: number }
  | { readonly _tag: "Never" }

const never: LocalInstant = { _tag: "Never" }

const longOffset = /GMT(?:([+\u2212-])(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?)?$/

/** Reads the offset that ICU writes, as in `1/2/2024, GMT-05:00`: several times as fast as taking a local time apart. */
const offsetsOf = (zone: DateTime.TimeZone.Named): ((instant: number) => number) => {
  const formatter = new Intl.DateTimeFormat("en-US", { timeZone: zone.id, timeZoneName: "longOffset" })
  return (instant) => {
    const [, sign, hours = 0, minutes = 0, seconds = 0] = longOffset.exec(formatter.format(instant)) ?? []
    const size = Number(hours) * hour + Number(minutes) * 60_000 + Number(seconds) * 1000
    return sign === undefined || sign === "+" ? size : -size
  }
}

/** The changes of one zone, found a chunk at a time and kept. */
class ZoneChanges {
  private readonly chunks = new Map<number, ReadonlyArray<Segment>>()
  private readonly zone: string
  readonly offsetFromRules: (instant: number) => number

  constructor(zone: DateTime.TimeZone.Named) {
    this.zone = zone.id
    this.offsetFromRules = offsetsOf(zone)
  }

  /** The first instant after `low` that has not its offset any more; there is one, and at `high` it has come. */
  private changeBetween(low: number, high: number, offset: number): number {
    const narrowed = (from: number, to: number, unit: number): readonly [number, number] => {
      let [before, after] = [from, to]
      while (after - before > unit) {
        const middle = Math.floor((before + after) / 2 / unit) * unit
        if (this.offsetFromRules(middle) === offset) before = middle
        else after = middle
      }
      return [before, after]
    }
    // Nearly all changes are on a quarter of an hour, and one look tells.
    const [before, after] = narrowed(low, high, quarter)
    return this.offsetFromRules(after - 1000) === offset ? after : narrowed(before, after, 1000)[1]
  }

  segmentsOf(index: number): ReadonlyArray<Segment> {
    const known = this.chunks.get(index)
    if (known !== undefined) return known
    const end = (index + 1) * chunk
    const segments: Array<Segment> = []
    const stride = index >= 0 && steady.has(this.zone) ? steadyStep : step
    let from = index * chunk
    let offset = this.offsetFromRules(from)
    for (let at = from + stride; at <= end; at += stride) {
      const next = this.offsetFromRules(at)
      if (next === offset) continue
      const change = this.changeBetween(at - stride, at, offset)
      segments.push({ from, until: change, offset })
      from = change
      offset = next
    }
    if (from < end) segments.push({ from, until: end, offset })
    this.chunks.set(index, segments)
    return segments
  }
}

/** By zone, for all clocks of the process: a calendar, a vendor and a plan look at the same years. */
const zones = new Map<string, ZoneChanges>()

const changesOf = (zone: DateTime.TimeZone.Named): ZoneChanges => {
  const known = zones.get(zone.id)
  if (known !== undefined) return known
  const made = new ZoneChanges(zone)
  zones.set(zone.id, made)
  return made
}

/**
 * The offsets of one IANA zone, fast enough to be asked for every row of a large file: transitions are found once per 64 days
 * and the last stretch is remembered, so rows in order cost two comparisons.
 */
export class ZoneClock {
  private readonly changes: ZoneChanges
  private current: Segment = { from: 0, until: 0, offset: 0 }

  constructor(zone: DateTime.TimeZone.Named) {
    this.changes = changesOf(zone)
  }

  /** Milliseconds to add to this UTC instant to get the zone's local time. */
  offsetAt(instant: number): number {
    const current = this.current
    if (instant >= current.from && instant < current.until) return current.offset
    for (const segment of this.changes.segmentsOf(Math.floor(instant / chunk))) {
      if (instant < segment.until) {
        this.current = segment
        return segment.offset
      }
    }
    return this.changes.offsetFromRules(instant)
  }

  /** The instant of a local time that exists once; NaN where {@link resolve} has to be asked. */
  quick(local: number): number {
    const { from, until, offset } = this.current
    const at = local - offset
    return at - day >= from && at + day < until ? at : Number.NaN
  }

  /** What a local time (milliseconds as if in UTC) means in this zone. */
  resolve(local: number): LocalInstant {
    const before = this.offsetAt(local - day)
    const after = this.offsetAt(local + day)
    const earlier = local - Math.max(before, after)
    const later = local - Math.min(before, after)
    const earlierHolds = this.offsetAt(earlier) === local - earlier
    const laterHolds = this.offsetAt(later) === local - later
    if (earlierHolds && laterHolds && earlier !== later) return { _tag: "Twice", earlier, later }
    if (earlierHolds) return { _tag: "Once", at: earlier }
    if (laterHolds) return { _tag: "Once", at: later }
    return never
  }

  /** The first instant of a local time (milliseconds as if in UTC); where clocks skip it, the instant at which it would have come. */
  first(local: number): number {
    const found = this.resolve(local)
    switch (found._tag) {
      case "Once":
        return found.at
      case "Twice":
        return found.earlier
      case "Never":
        return local - this.offsetAt(local - day)
    }
  }
}

/** The clock of an IANA zone; null when there is no such zone. */
export const make = (zone: string): ZoneClock | null =>
  Option.match(DateTime.zoneMakeNamed(zone), { onNone: () => null, onSome: (named) => new ZoneClock(named) })
