/** Instants as the protocol writes and reads them. */
import { DateTime, Option } from "effect"
import * as ZoneClock from "../../../../domain/ZoneClock.ts"

const pad = (value: number): string => String(value).padStart(2, "0")

/** `20260410 09:30:00` on the wall clock of a zone. */
const wall = (at: number, clock: ZoneClock.ZoneClock): string => {
  const local = new Date(at + clock.offsetAt(at))
  const date = `${local.getUTCFullYear()}${pad(local.getUTCMonth() + 1)}${pad(local.getUTCDate())}`
  return `${date} ${pad(local.getUTCHours())}:${pad(local.getUTCMinutes())}:${pad(local.getUTCSeconds())}`
}

/** What the protocol calls a zone. */
const names: Readonly<Record<string, string>> = { "America/New_York": "US/Eastern", "America/Chicago": "US/Central" }

export const zoneName = (zone: string): string => names[zone] ?? zone

/** `20260410 09:30:00 US/Eastern`. */
export const zoned = (at: number, zone: string, clock: ZoneClock.ZoneClock): string =>
  `${wall(at, clock)} ${zoneName(zone)}`

/** `20260410 13:30:00 GMT`, the time of a connection. */
export const inGmt = (at: number): string => {
  const text = new Date(at).toISOString()
  return `${text.slice(0, 10).replaceAll("-", "")} ${text.slice(11, 19)} GMT`
}

/** `20260410`. */
export const dateText = (date: number): string => new Date(date).toISOString().slice(0, 10).replaceAll("-", "")

const form = /^(\d{4})(\d{2})(\d{2})(?:([ -])(\d{2}):(\d{2}):(\d{2})(?: ([\w/+-]+))?)?$/

/**
 * The instant of `20260410 09:30:00 US/Eastern`, `20260410-13:30:00` (UTC), or one of these without a zone, which is that of the exchange. A bare date
 * is its end. Empty is `now`; null: not an instant.
 */
export const readInstant = (text: string, clock: ZoneClock.ZoneClock, now: number): number | null => {
  if (text === "") return now
  const parts = form.exec(text)
  if (parts === null) return null
  const [, year, month, date, separator, hours = "24", minutes = "00", seconds = "00", zone] = parts
  const local = Date.UTC(Number(year), Number(month) - 1, Number(date), Number(hours), Number(minutes), Number(seconds))
  if (separator === "-") return local
  if (zone === undefined) return clock.first(local)
  const named = Option.flatMap(Option.some(zone === "EST" ? "America/New_York" : zone), DateTime.zoneMakeNamed)
  const other = Option.isSome(named) ? ZoneClock.make(named.value.id) : null
  return other === null ? null : other.first(local)
}
