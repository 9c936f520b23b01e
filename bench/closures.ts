/**
 * Claim: the closures of 30 years are had in 5 ms. It holds for a calendar that has been asked before, as that of a running process
 * has. The first time of the process, when its code is cold and sessions and changes of summer time are computed, is printed beside it.
 *
 * Run: `npm run bench -- closures`. Baseline: the loop that one writes for it, day by day over the same calendar: ask for the
 * session of each date, and note what lies between a close and the next opening. Medians of fifteen.
 */
import { DateTime } from "effect"
import type { CalendarRules } from "../src/domain/calendar/CalendarRules.ts"
import { calendarOf } from "../src/domain/calendar/calendarOf.ts"
import { xhkg } from "../src/domain/calendar/exchanges/xhkg.ts"
import { xlon } from "../src/domain/calendar/exchanges/xlon.ts"
import { xnys } from "../src/domain/calendar/exchanges/xnys.ts"
import type { TimeRange } from "../src/domain/TimeRange.ts"
import type { TradingCalendar } from "../src/domain/TradingCalendar.ts"
import { ZoneClock } from "../src/domain/ZoneClock.ts"

const runs = 15
const target = 5
const day = 86_400_000
const range: TimeRange = { start: Date.UTC(1995, 0, 1), end: Date.UTC(2025, 0, 1) }

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const timed = (run: () => unknown): number =>
  median(
    Array.from({ length: runs }, () => {
      const before = performance.now()
      run()
      return performance.now() - before
    })
  )

const dayByDay = (calendar: TradingCalendar): ReadonlyArray<TimeRange> => {
  const closed: Array<TimeRange> = []
  let start = range.start
  for (let date = range.start; date < range.end; date += day) {
    const session = calendar.sessionOn(date)
    if (session === null) continue
    closed.push({ start, end: session.open })
    if (session.breakStart !== null && session.breakEnd !== null) {
      closed.push({ start: session.breakStart, end: session.breakEnd })
    }
    start = session.close
  }
  closed.push({ start, end: range.end })
  return closed
}

const made = (rules: CalendarRules) => calendarOf(rules, new ZoneClock(DateTime.zoneMakeNamedUnsafe(rules.zone)))

const millis = (value: number): string => `${value.toFixed(2)} ms`.padStart(9)

let missed = false
console.log(`closures of 30 years, ms          ours   first time   day by day   ratio`)
for (const rules of [xnys, xlon, xhkg]) {
  const calendar = made(rules)
  const before = performance.now()
  const closures = calendar.closures(range)
  const first = performance.now() - before
  const naive = dayByDay(calendar)
  if (JSON.stringify(closures) !== JSON.stringify(naive)) throw new Error(`${rules.name}: the two do not agree`)
  const ours = timed(() => calendar.closures(range))
  const baseline = timed(() => dayByDay(calendar))
  missed ||= ours > target
  const name = `${rules.name}, ${closures.length} closures`.padEnd(28)
  console.log(`${name}${millis(ours)}    ${millis(first)}    ${millis(baseline)}   ${(baseline / ours).toFixed(1)}x`)
}
console.log(missed ? `missed: more than ${target} ms` : `held: at most ${target} ms`)
if (missed) process.exitCode = 1
