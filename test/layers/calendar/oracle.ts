/** Calendars that others published, where they are beside the project. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const folder = join(import.meta.dirname, "../../../../shared/data/market")
const published = join(folder, "exchange_calendars")
const database = join(folder, "lean/Data/market-hours/market-hours-database.json")

/** Whether they are there. */
export const oracle: boolean = existsSync(published) && existsSync(database)
if (!oracle) console.log("skipped: 10 comparisons with published calendars (they are not beside the project)")

/** What a date is, in the exchange's own time: `closed`, or the hours of its session (`09:30-12:00 13:00-16:00`). */
export type Days = ReadonlyMap<string, string>

const clockIn = (zone: string) => {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" })
  return (instant: number) => format.format(instant)
}

interface Hours {
  readonly open: number
  readonly close: number
  readonly breakStart: number | null
  readonly breakEnd: number | null
}

/** Hours as text, with a clock of Intl's. */
export const hoursIn = (zone: string): ((hours: Hours) => string) => {
  const clock = clockIn(zone)
  return ({ breakEnd, breakStart, close, open }) =>
    breakStart === null || breakEnd === null
      ? `${clock(open)}-${clock(close)}`
      : `${clock(open)}-${clock(breakStart)} ${clock(breakEnd)}-${clock(close)}`
}

/** A row of a published calendar; instants in epoch milliseconds, exactly as it is written there. */
export interface PublishedSession extends Hours {
  readonly date: number
}

const instant = (text: string | undefined): number | null =>
  text === undefined || text === "" ? null : Date.parse(text)

export const publishedSessions = (file: string): ReadonlyArray<PublishedSession> =>
  readFileSync(join(published, `${file}.csv`), "utf8")
    .split(/\r?\n/)
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => {
      const [date, open, close, breakStart, breakEnd] = line.split(",").map(instant)
      return {
        date: date ?? Number.NaN,
        open: open ?? Number.NaN,
        close: close ?? Number.NaN,
        breakStart: breakStart ?? null,
        breakEnd: breakEnd ?? null
      }
    })

interface MarketHours {
  readonly monday: ReadonlyArray<{ readonly start: string; readonly state: string }>
  readonly holidays: ReadonlyArray<string>
  readonly earlyCloses?: Readonly<Record<string, string>>
}

// 7/3/2025
const isoDate = (american: string): string => {
  const [month = "", day = "", year = ""] = american.split("/")
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`
}

/** The holidays (`closed`) and early closes of one entry of the market-hours database; days it does not name are regular. */
export const databaseDays = (entry: string): Days => {
  const document: { readonly entries: Readonly<Record<string, MarketHours>> } = JSON.parse(
    readFileSync(database, "utf8")
  )
  const market = document.entries[entry]
  if (market === undefined) throw new Error(`${entry} is not in the market-hours database`)
  const opens = market.monday.find(({ state }) => state === "market")?.start.slice(0, 5) ?? ""
  const days = new Map<string, string>()
  for (const [date, close] of Object.entries(market.earlyCloses ?? {})) {
    days.set(isoDate(date), `${opens}-${close.slice(0, 5)}`)
  }
  for (const date of market.holidays) days.set(isoDate(date), "closed")
  return days
}
