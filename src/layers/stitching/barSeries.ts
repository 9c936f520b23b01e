import { Effect } from "effect"
import { closedStamps } from "../../domain/closedStamps.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import { Unsupported, VendorError } from "../../services/Adapter.ts"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { Calendar } from "../../services/Calendar.ts"
import type { BarSeries, Fetcher } from "./project.ts"

export const unsupported = (vendor: string, message: string) =>
  new VendorError({ vendor, reason: new Unsupported({ message }) })

const nothing: BarSeries["closedIn"] = () => []

/** Only bar series are stitched. One of these is for what needs no calendar; see {@link calendared}. */
export const barSeries = (key: SeriesKey): Effect.Effect<BarSeries, VendorError> =>
  key.timeframe === null
    ? Effect.fail(unsupported(key.vendor, `a series of kind ${key.kind} has no ranges of bars; ask for kind bar`))
    : Effect.succeed({
        key,
        text: canonical(key),
        timeframe: key.timeframe,
        calendar: null,
        closedIn: nothing
      })

interface Services {
  readonly registry: AdapterRegistry["Service"]
  readonly calendars: Calendar["Service"]
}

/** The calendar that a vendor names for a series; null: none. */
const calendarName = ({ fetch, limits }: Fetcher, key: SeriesKey): string | null => {
  const own = fetch.calendar?.(key)
  return own === undefined ? limits.calendar : own
}

/**
 * The series with the calendar that its vendor names; fails with CalendarError where there is none of that name. A vendor that
 * is not there any more names none.
 */
export const calendared = Effect.fnUntraced(function* ({ calendars, registry }: Services, key: SeriesKey) {
  const series = yield* barSeries(key)
  const fetcher = yield* Effect.orElseSucceed(registry.fetcher(key.vendor), () => null)
  const name = fetcher === null ? null : calendarName(fetcher, key)
  if (fetcher === null || name === null) return series
  const { timeframe } = series
  const calendar = yield* calendars.get(name)
  const onGrid = fetcher.limits.stampsOnGrid || !Timeframe.isIntraday(timeframe)
  const rules = { timeframe, session: key.session, onGrid }
  const made: BarSeries = {
    ...series,
    calendar,
    closedIn: ({ end, start }) =>
      closedStamps(
        calendar,
        rules,
        onGrid ? { start: Timeframe.floor(timeframe, start), end: Timeframe.ceil(timeframe, end) } : { start, end }
      )
  }
  return made
})
