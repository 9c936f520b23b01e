import { type Bar, defectOf } from "../../domain/Bar.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import { iso } from "../../domain/TimeRange.ts"

/** Why a series cannot have a bar that no vendor gave, in words that name the field; null when it can. */
export const barDefectIn = ({ timeframe }: SeriesKey, bar: Bar): string | null => {
  // Spreads and energy trade below zero; who imports knows what the file holds.
  const defect = defectOf(bar, { allowNonPositivePrices: true })
  if (defect !== null || timeframe === null || Timeframe.isIntraday(timeframe)) return defect
  const date = Timeframe.floor(timeframe, bar.ts)
  return date === bar.ts
    ? null
    : `ts ${iso(bar.ts)} is not the date of a ${timeframe} bar; its date would be ${iso(date).slice(0, 10)}`
}
