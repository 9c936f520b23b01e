import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { parseZone } from "../../domain/Instant.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { Calendar } from "../../services/Calendar.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand, UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { instantFlag, zoneOf } from "../flags/RangeFlags.ts"
import { calendarDays, calendarDocument, calendarTable, dateText } from "../format/CalendarTable.ts"
import { rangeDocument } from "../format/Documents.ts"
import { windowed } from "../format/windowed.ts"
import { Output } from "../terminal/Output.ts"
import { printList } from "../terminal/printList.ts"
import { styleOf } from "../terminal/Style.ts"
import { withCalendars } from "../withData.ts"

const flags = {
  name: Argument.String("name").pipe(
    Argument.withDescription("The calendar, as XNYS; without one the calendars are listed"),
    Argument.optional
  ),
  from: instantFlag("from", "First date; today unless given").pipe(Flag.optional),
  to: instantFlag("to", "End of the range, itself not part of it; two weeks after --from unless given").pipe(
    Flag.optional
  ),
  tz: zoneOf("Time zone of the times in the table; the exchange's own unless given").pipe(Flag.optional)
}

type Input = Command.Command.Config.Infer<typeof flags>

const day = 86_400_000
const twoWeeks = 14 * day

/** Dates, whatever the times of `--from` and `--to`: the range that sessions are of. */
const datesOf = Effect.fnUntraced(function* ({ from, to }: Input): Effect.fn.Return<TimeRange, UsageError> {
  const now = yield* Clock.currentTimeMillis
  const ceil = (instant: number) => Math.ceil(instant / day) * day
  const start = Option.match(from, { onNone: () => Math.floor(now / day) * day, onSome: ceil })
  const end = Option.match(to, { onNone: () => start + twoWeeks, onSome: ceil })
  if (start < end) return { start, end }
  return yield* new UsageError({
    message: `there is no date from ${dateText(start)} to ${dateText(end)}; --to is exclusive and lies after --from`
  })
})

const list = Effect.gen(function* () {
  yield* printList({
    name: "calendars",
    items: yield* Calendar.use(({ list }) => list),
    columns: [
      { header: "calendar", align: "left" },
      { header: "known", align: "left" },
      { header: "zone", align: "left" },
      { header: "what", align: "left" }
    ],
    row: ({ known, name, title, zone }) => [name, `${dateText(known.start)} to ${dateText(known.end)}`, zone, title],
    document: ({ known, ...calendar }) => ({ ...calendar, known: rangeDocument(known) }),
    none: "no calendars"
  })
})

const show = Effect.fnUntraced(function* (name: string, input: Input) {
  const json = yield* Json
  const { errorTerminal, line, lines, note, terminal } = yield* Output
  const range = yield* datesOf(input)
  const calendar = yield* Calendar.use(({ get }) => get(name))
  const days = calendarDays(calendar, range)
  const { known } = calendar
  const { start, end } = known
  if (json) yield* line(JSON.stringify(calendarDocument(calendar, range, days)))
  else {
    const style = styleOf(terminal)
    const exchange = yield* Effect.orDie(Effect.fromResult(parseZone(calendar.zone)))
    const zone = Option.getOrElse(input.tz, () => exchange)
    const of = `${dateText(range.start)} to ${dateText(range.end)}`
    if (days.length === 0) yield* line(`${name} has no session from ${of}`)
    else {
      const [header = "", ...rows] = calendarTable(calendar, days, zone, exchange)
      const height = terminal.isTerminal ? terminal.rows - 5 : null
      yield* lines([
        style.bold(`${name}, ${of}, in the time of ${zone.id}`),
        "",
        style.bold(header),
        ...windowed(rows, height, (left) => style.dim(`… ${left} (use --json or a pipe for all)`))
      ])
    }
  }
  if (range.start >= start && range.end <= end) return
  const warning = `${name} knows ${dateText(start)} to ${dateText(end)}; of the rest of the range it says nothing`
  yield* note(styleOf(errorTerminal).yellow(warning))
  return yield* new Ended({ code: 3 })
})

const calendar = Effect.fn("tapestry calendar")(function* (input: Input) {
  if (Option.isSome(input.name)) return yield* withCalendars(show(input.name.value, input))
  if (Option.isSome(input.from) || Option.isSome(input.to) || Option.isSome(input.tz)) {
    return yield* new UsageError({ message: "which calendar? give its name; tapestry calendar lists them" })
  }
  yield* withCalendars(list)
}, asCommand("calendar"))

export const command = Command.make("calendar", flags, calendar).pipe(
  Command.withDescription(
    "When an exchange trades: its sessions with opening, break and close, half days and holidays. Calendars come with Tapestry and from the configuration; without a name they are listed."
  ),
  Command.withExamples([
    { command: "tapestry calendar", description: "The calendars there are" },
    {
      command: "tapestry calendar XNYS --from 2024-11-25 --to 2024-12-02",
      description: "The week of Thanksgiving in New York"
    },
    { command: "tapestry calendar XHKG --tz UTC", description: "The next two weeks in Hong Kong, in UTC" }
  ])
)
