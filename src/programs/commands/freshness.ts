import { Clock, Duration, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { ValidationError } from "effect/cli/CliError"
import { canonical } from "../../domain/SeriesKey.ts"
import { type Freshness, RecordStore } from "../../services/RecordStore.ts"
import { Ended } from "../failure/Ended.ts"
import { asCommand } from "../failure/UsageError.ts"
import { instantOrNull } from "../format/Documents.ts"
import { duration, grouped } from "../format/Numbers.ts"
import { brief, moment } from "../format/ZonedTime.ts"
import { printList } from "../terminal/printList.ts"
import { withData } from "../withData.ts"

/** `90s`, `15m`, `36h`, `5d`, in milliseconds. */
const ageOf = (text: string): Effect.Effect<number, ValidationError> => {
  const match = /^(\d+)(s|m|h|d)$/.exec(text.trim())
  const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ""]
  return match === null || unit === undefined
    ? Effect.fail(
        new ValidationError({ message: `--older-than ${text}: expected a number and s, m, h or d, such as 36h` })
      )
    : Effect.succeed(Number(match[1]) * unit)
}

const flags = {
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Only series of this vendor"),
    Flag.optional
  ),
  olderThan: Flag.String("older-than").pipe(
    Flag.withMetavar("AGE"),
    Flag.withDescription(
      "Only series whose last row is older than this (90s, 15m, 36h, 5d), or that have none; ends with 3 when there are any"
    ),
    Flag.mapEffect(ageOf),
    Flag.optional
  )
}

const freshness = Effect.fn("tapestry freshness")(function* ({
  olderThan,
  vendor
}: Command.Command.Config.Infer<typeof flags>) {
  const now = yield* Clock.currentTimeMillis
  const ageAt = ({ last }: Freshness): number | null => (last === null ? null : now - last)
  const all = yield* withData(RecordStore.use((store) => store.freshness))
  const found = all.filter((item) => {
    if (Option.isSome(vendor) && item.series.vendor !== vendor.value) return false
    return Option.isNone(olderThan) || (ageAt(item) ?? Number.POSITIVE_INFINITY) > olderThan.value
  })
  yield* printList({
    name: "freshness",
    items: found,
    columns: [
      { header: "vendor", align: "left" },
      { header: "symbol", align: "left" },
      { header: "kind", align: "left" },
      { header: "rows", align: "right" },
      { header: "last (UTC)", align: "left" },
      { header: "age", align: "right" },
      { header: "answered (UTC)", align: "left" },
      { header: "by", align: "right" }
    ],
    row: (item) => {
      const age = ageAt(item)
      return [
        item.series.vendor,
        item.series.symbol,
        item.series.timeframe === null ? item.series.kind : `${item.series.kind} ${item.series.timeframe}`,
        grouped(item.rows),
        item.last === null ? "-" : brief(item.last),
        age === null ? "-" : duration(age),
        item.answeredAt === null ? "-" : moment(item.answeredAt),
        item.answeredBy === null ? "-" : String(item.answeredBy)
      ]
    },
    document: (item) => {
      const age = ageAt(item)
      return {
        series: canonical(item.series),
        kind: item.series.kind,
        rows: item.rows,
        first: instantOrNull(item.first),
        last: instantOrNull(item.last),
        answeredAt: instantOrNull(item.answeredAt),
        answeredBy: item.answeredBy,
        age: age === null ? null : age / Duration.toMillis("1 second")
      }
    },
    none: Option.isNone(olderThan) ? "no series" : "no series is older than that"
  })
  if (Option.isSome(olderThan) && found.length > 0) return yield* new Ended({ code: 3 })
}, asCommand("freshness"))

export const command = Command.make("freshness", flags, freshness).pipe(
  Command.withDescription(
    "How far each series of every kind has come: its last row, how old that is, and the answer that was the newest to speak of it. Nothing is fetched. With --older-than it is a check for a monitor: it lists what is too old, and ends with 3 when anything is."
  ),
  Command.withExamples([
    { command: "tapestry freshness", description: "Of everything that is stored" },
    { command: "tapestry freshness --vendor acme --older-than 36h", description: "What has stopped coming" }
  ])
)
