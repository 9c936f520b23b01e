/** The sizes and lengths that a request for bars can name. */
import type { Hours } from "../market/Hours.ts"
import type { BarQuery } from "../market/Market.ts"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const sizes: Readonly<Record<string, BarQuery["size"]>> = {
  "1 secs": second,
  "1 sec": second,
  "5 secs": 5 * second,
  "10 secs": 10 * second,
  "15 secs": 15 * second,
  "30 secs": 30 * second,
  "1 min": minute,
  "2 mins": 2 * minute,
  "3 mins": 3 * minute,
  "5 mins": 5 * minute,
  "10 mins": 10 * minute,
  "15 mins": 15 * minute,
  "20 mins": 20 * minute,
  "30 mins": 30 * minute,
  "1 hour": hour,
  "2 hours": 2 * hour,
  "3 hours": 3 * hour,
  "4 hours": 4 * hour,
  "8 hours": 8 * hour,
  "1 day": "day",
  "1D": "day",
  "1 week": "week",
  "1W": "week",
  "1W ": "week",
  "1 month": "month",
  "1M": "month"
}

export const sizeOf = (text: string): BarQuery["size"] | null => sizes[text] ?? null

export interface Length {
  readonly count: number
  readonly unit: "S" | "D" | "W" | "M" | "Y"
}

const form = /^(\d{1,7}) ([SDWMY])$/

export const lengthOf = (text: string): Length | null => {
  const [, count, unit] = form.exec(text) ?? []
  if (count === undefined || Number(count) < 1) return null
  return unit === "S" || unit === "D" || unit === "W" || unit === "M" || unit === "Y"
    ? { count: Number(count), unit }
    : null
}

const units = { S: second, D: day, W: 7 * day, M: 31 * day, Y: 366 * day }

/** The shortest bars that a length may be asked for in, as the longest length of each. */
const shortest: ReadonlyArray<readonly [longest: number, size: number]> = [
  [1_800 * second, second],
  [3_600 * second, 5 * second],
  [14_400 * second, 10 * second],
  [28_800 * second, 30 * second],
  [day, minute],
  [2 * day, 2 * minute],
  [7 * day, 3 * minute],
  [31 * day, 30 * minute]
]

export const isTooLong = ({ count, unit }: Length, size: BarQuery["size"]): boolean => {
  if (typeof size !== "number") return false
  const length = count * units[unit]
  const least = shortest.find(([longest]) => length <= longest)?.[1] ?? day
  return size < least
}

/** When a length begins that ends at an instant: seconds and days are counted in times of trade. */
export const beginOf = ({ count, unit }: Length, end: number, hours: Hours, regular: boolean): number => {
  switch (unit) {
    case "S": {
      let left = count * second
      for (let back = 10; back <= 90; back *= 3) {
        left = count * second
        for (const one of hours.between({ start: end - back * day, end }).toReversed()) {
          const [open, close] = regular ? [one.liquidOpen, one.liquidClose] : [one.open, one.close]
          const until = Math.min(end, close)
          if (until <= open) continue
          if (until - open >= left) return until - left
          left -= until - open
        }
      }
      return end - count * second
    }
    case "D": {
      const days = hours.between({ start: end - (count * 2 + 10) * day, end })
      const begun = days.filter((one) => (regular ? one.liquidOpen : one.open) < end)
      const first = begun.at(-count) ?? begun[0]
      return first === undefined ? end - count * day : regular ? first.liquidOpen : first.open
    }
    case "W":
      return end - count * units.W
    case "M":
    case "Y": {
      const at = new Date(end)
      at.setUTCMonth(at.getUTCMonth() - (unit === "M" ? count : 12 * count))
      return at.getTime()
    }
  }
}
