import type { CalendarRules } from "../../domain/calendar/CalendarRules.ts"
import { everyDay, everyWeekday } from "../../domain/calendar/exchanges/always.ts"
import { xcbf } from "../../domain/calendar/exchanges/xcbf.ts"
import { xhkg } from "../../domain/calendar/exchanges/xhkg.ts"
import { xlon } from "../../domain/calendar/exchanges/xlon.ts"
import { xnas, xnys } from "../../domain/calendar/exchanges/xnys.ts"

/** The calendars that come with Tapestry. */
export const builtIn: ReadonlyArray<CalendarRules> = [everyWeekday, everyDay, xcbf, xhkg, xlon, xnas, xnys]
