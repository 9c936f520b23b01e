import { type CalendarRules, clock, closed, hours, mondayToFriday } from "../../../src/domain/calendar/CalendarRules.ts"
import { xnys } from "../../../src/domain/calendar/exchanges/xnys.ts"
import * as CalendarLive from "../../../src/layers/calendar/CalendarLive.ts"
import { calendarSuite } from "../../services/Calendar.contract.ts"

const builtIn = ["24/5", "24/7", "XCBF", "XHKG", "XLON", "XNAS", "XNYS"]

const own: CalendarRules = {
  name: "XASX",
  title: "Sydney",
  zone: "Australia/Sydney",
  known: { start: Date.UTC(2020, 0, 1), end: Date.UTC(2025, 0, 1) },
  weeks: [mondayToFriday(0, hours(clock(10, 0), clock(16, 0)))],
  specialDays: (year) => [closed(Date.UTC(year, 0, 26), "Australia Day")]
}

calendarSuite("those that come with Tapestry", CalendarLive.layer, builtIn)
// One of its own, and one in the place of a built-in one.
calendarSuite("with others", CalendarLive.layerWith([own, { ...xnys, title: "changed" }]), [
  ...builtIn.slice(0, 2),
  "XASX",
  ...builtIn.slice(2)
])
