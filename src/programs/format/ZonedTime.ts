/** Instants as people read them, in one zone; the zone is said once, in a header. */
import { utc, type Zone } from "../../domain/Instant.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"

/** How much of an instant is worth showing; finer ones are shown where a value needs them. */
export type Precision = "date" | "minute" | "second" | "millisecond"

const order: ReadonlyArray<Precision> = ["date", "minute", "second", "millisecond"]
const length: Readonly<Record<Precision, number>> = { date: 10, minute: 16, second: 19, millisecond: 23 }

/** `2019-01-02 09:30` in the zone's local time. */
export const localTime = (instant: EpochMillis, zone: Zone, precision: Precision): string =>
  new Date(instant + zone.offsetAt(instant)).toISOString().replace("T", " ").slice(0, length[precision])

/** The coarsest precision, from minutes on, that shows this instant whole. */
export const precisionOf = (instant: EpochMillis): Precision =>
  instant % 60_000 === 0 ? "minute" : instant % 1000 === 0 ? "second" : "millisecond"

export const finer = (a: Precision, b: Precision): Precision => (order.indexOf(a) >= order.indexOf(b) ? a : b)

/** An instant in UTC to the second, for what is near enough then: `2026-11-22T01:09:08Z`. */
export const moment = (instant: EpochMillis): string => `${localTime(instant, utc, "second").replace(" ", "T")}Z`

/** An instant in UTC with as much as it needs: `2019-01-02`, `2019-01-02T14:30Z`. */
export const brief = (instant: EpochMillis): string =>
  instant % 86_400_000 === 0
    ? localTime(instant, utc, "date")
    : `${localTime(instant, utc, precisionOf(instant)).replace(" ", "T")}Z`
