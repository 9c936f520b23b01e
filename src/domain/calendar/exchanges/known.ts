import type { TimeRange } from "../../TimeRange.ts"
import { dateOf } from "../dates.ts"

/**
 * The years for which the exchanges' rules are vouched for. Beyond them there are holidays that nobody has announced: to call a
 * date closed that turns out to trade would leave its rows out for good.
 */
export const known: TimeRange = { start: dateOf(1990, 1, 1), end: dateOf(2029, 1, 1) }
