import { Result } from "effect"
import { dayMillis, dayNumber, digits, isDigit, timeOfDay } from "./textTime.ts"
import type { TimestampReader } from "./timestamp.ts"

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

type Part =
  | { readonly field: "year" | "month" | "day" | "hour" | "minute" | "second" | "milli"; readonly width: number }
  | { readonly field: "monthName" }
  | { readonly field: "text"; readonly code: number }

const tokens: ReadonlyArray<readonly [string, Part]> = [
  ["yyyy", { field: "year", width: 4 }],
  ["MMM", { field: "monthName" }],
  ["MM", { field: "month", width: 2 }],
  ["M", { field: "month", width: 0 }],
  ["dd", { field: "day", width: 2 }],
  ["d", { field: "day", width: 0 }],
  ["HH", { field: "hour", width: 2 }],
  ["H", { field: "hour", width: 0 }],
  ["mm", { field: "minute", width: 2 }],
  ["SSS", { field: "milli", width: 3 }],
  ["ss", { field: "second", width: 2 }]
]

/** A pattern as its parts; fails with a sentence that names the first thing wrong with it. */
const patternParts = (pattern: string): Result.Result<ReadonlyArray<Part>, string> => {
  const parts: Array<Part> = []
  let at = 0
  while (at < pattern.length) {
    const token = tokens.find(([text]) => pattern.startsWith(text, at))
    if (token !== undefined) {
      parts.push(token[1])
      at += token[0].length
      continue
    }
    const code = pattern.charCodeAt(at)
    const character = pattern.charAt(at)
    if (code > 126 || (/[A-Za-z]/.test(character) && character !== "T" && character !== "Z")) {
      return Result.fail(
        `"${pattern}" has ${character}; a pattern is made of yyyy MM M MMM dd d HH H mm ss SSS and punctuation`
      )
    }
    parts.push({ field: "text", code })
    at++
  }
  const has = (field: Part["field"]) => parts.some((part) => part.field === field)
  if (!has("year") || !(has("month") || has("monthName")) || !has("day")) {
    return Result.fail(`"${pattern}" does not give a whole date: it needs yyyy, MM (or M, MMM) and dd (or d)`)
  }
  return Result.succeed(parts)
}

const patternReader = (parts: ReadonlyArray<Part>): TimestampReader => ({
  local: true,
  read: (bytes, start, end) => {
    let at = start
    let year = 0
    let month = 0
    let day = 0
    let hour = 0
    let minute = 0
    let second = 0
    let milli = 0
    for (const part of parts) {
      if (part.field === "text") {
        if (at >= end || bytes[at] !== part.code) return Number.NaN
        at++
        continue
      }
      if (part.field === "monthName") {
        if (at + 3 > end) return Number.NaN
        const name = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0).toLowerCase()
        month = monthNames.indexOf(name) + 1
        if (month === 0) return Number.NaN
        at += 3
        continue
      }
      const width = part.width > 0 ? part.width : at + 1 < end && isDigit(bytes[at + 1]) ? 2 : 1
      const value = digits(bytes, at, end, width)
      at += width
      if (part.field === "year") year = value
      else if (part.field === "month") month = value
      else if (part.field === "day") day = value
      else if (part.field === "hour") hour = value
      else if (part.field === "minute") minute = value
      else if (part.field === "second") second = value
      else milli = value
    }
    if (at !== end) return Number.NaN
    return dayNumber(year, month, day) * dayMillis + timeOfDay(hour, minute, second, milli)
  }
})

/** The reader of a pattern such as `yyyyMMdd HH:mm`; its stamps are local. */
export const patternReaderFor = (pattern: string): Result.Result<TimestampReader, string> =>
  Result.map(patternParts(pattern), patternReader)
