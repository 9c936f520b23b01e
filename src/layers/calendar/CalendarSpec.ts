import { Schema } from "effect"
import { dateOfText, hoursOf, hoursText, someDateOf, timeOf } from "./calendarText.ts"

const written = (read: (text: string) => unknown, expected: string) =>
  Schema.String.check(Schema.makeFilter((text) => read(text) !== null)).annotate({ expected })

const Date = written(dateOfText, "a date, such as 2026-12-24")
const SomeDate = written(someDateOf, "a date, such as 2026-12-24, or 12-24 for every year")
const Hours = written(hoursOf, hoursText)
const DayHours = written((text) => (text === "closed" ? text : hoursOf(text)), `${hoursText}, or closed`)
const Time = written(timeOf, "a time of day, such as 13:00")

/** Keys are checked where the mapping is resolved: a record that fails there names the key, and not the mapping. */
const byDate = <S extends Schema.Top>(value: S, expected: string) =>
  Schema.optionalKey(Schema.Record(Schema.String, value).annotate({ expected }))

/** A calendar of `tapestry.yaml`. Times are of the wall clock in `zone`. */
export const CalendarSpec = Schema.Struct({
  title: Schema.optionalKey(Schema.NonEmptyString.annotate({ expected: "a line about the calendar" })),
  /** The calendar whose rules hold but for what is said here. */
  extends: Schema.optionalKey(Schema.NonEmptyString.annotate({ expected: "the name of a calendar, such as XNYS" })),
  /** IANA zone; that of the extended calendar when there is one. */
  zone: Schema.optionalKey(Schema.NonEmptyString.annotate({ expected: "an IANA zone, such as Europe/Berlin" })),
  hours: byDate(DayHours, "hours by weekday, such as mon-fri: 09:00-17:30"),
  holidays: Schema.optionalKey(Schema.Array(SomeDate).annotate({ expected: "a list of dates" })),
  earlyCloses: byDate(Time, "times by date, such as 2026-12-24: 13:00"),
  sessions: byDate(Hours, "hours by date, such as 2026-11-28: 10:00-12:00"),
  /** The first date that the calendar knows. */
  from: Schema.optionalKey(Date),
  /** The date before which what it knows ends. */
  to: Schema.optionalKey(Date)
})
export type CalendarSpec = typeof CalendarSpec.Type
