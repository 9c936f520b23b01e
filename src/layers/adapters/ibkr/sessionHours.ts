import type { TimeRange } from "../../../domain/TimeRange.ts"
import type * as ZoneClock from "../../../domain/ZoneClock.ts"

const moment = /^(\d{4})(\d{2})(\d{2}):(\d{2})(\d{2})$/

/**
 * The hours of trade in IB's words, as `20260410:0930-20260410:1600;20260411:CLOSED` on the wall clock of the contract's zone. Null where they
 * cannot be read, as in a zone that is not known here.
 */
export const sessionHours = (text: string, clock: ZoneClock.ZoneClock | null): ReadonlyArray<TimeRange> | null => {
  if (clock === null || text === "") return null
  const at = (part: string | undefined): number => {
    const [, year, month, day, hour, minute] = (moment.exec(part ?? "") ?? []).map(Number)
    return year === undefined ? Number.NaN : clock.first(Date.UTC(year, (month ?? 1) - 1, day, hour, minute))
  }
  const hours: Array<TimeRange> = []
  for (const day of text.split(";")) {
    if (day === "" || day.endsWith(":CLOSED")) continue
    // Several sessions of a day are written behind each other.
    for (const session of day.split(",")) {
      const [from, to] = session.split("-")
      const [start, end] = [at(from), at(to)]
      if (Number.isNaN(start) || Number.isNaN(end)) return null
      if (start < end) hours.push({ start, end })
    }
  }
  return hours
}
