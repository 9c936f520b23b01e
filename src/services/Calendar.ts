import { Context, type Effect, Schema } from "effect"
import { TimeRange } from "../domain/TimeRange.ts"
import type { TradingCalendar } from "../domain/TradingCalendar.ts"

/** No such calendar; `known` lists those there are. */
export class UnknownCalendar extends Schema.TaggedError<UnknownCalendar>()("UnknownCalendar", {
  // Not `name`, which every Error has.
  calendar: Schema.String,
  known: Schema.Array(Schema.String)
}) {}

/** What can go wrong with calendars; it does so again until the name or the configuration is changed. */
export class CalendarError extends Schema.TaggedError<CalendarError>()("CalendarError", {
  reason: Schema.Union([UnknownCalendar])
}) {
  override get message(): string {
    return `no calendar named ${this.reason.calendar}; known: ${this.reason.known.join(", ")}`
  }
}

/** What is told of a calendar. Its zone is an IANA name; `known` are dates at 00:00Z, half-open. */
export const CalendarDescription = Schema.Struct({
  name: Schema.String,
  title: Schema.String,
  zone: Schema.String,
  known: TimeRange
})
export interface CalendarDescription extends Schema.Schema.Type<typeof CalendarDescription> {}

/** Trading calendars by name: those of exchanges that come with Tapestry, and those of the configuration. */
export class Calendar extends Context.Service<
  Calendar,
  {
    /** Names are spelled as `list` spells them. The same name gives the same calendar, with what it has computed so far. */
    readonly get: (name: string) => Effect.Effect<TradingCalendar, CalendarError>
    /** In alphabetical order. */
    readonly list: Effect.Effect<ReadonlyArray<CalendarDescription>>
  }
>()("tapestry/Calendar") {}
