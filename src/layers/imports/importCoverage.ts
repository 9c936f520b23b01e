import type { Bar } from "../../domain/Bar.ts"
import type { StoredState } from "../../domain/Coverage.ts"
import type { ResponseId } from "../../domain/Response.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { Commit } from "../../services/MarketStore.ts"

/**
 * What imported bars prove: the period of each, and nothing in between. A period that had not ended when the import was made is
 * provisional until its end. Where bars stand nearer than their timeframe, each ends where the next begins.
 */
export const importCoverage = (
  timeframe: Timeframe.Timeframe,
  bars: ReadonlyArray<Bar>,
  response: ResponseId,
  askedAt: number
): Commit["coverage"] => {
  const stamps = Float64Array.from(bars, ({ ts }) => ts).sort()
  const coverage: Array<{ start: number; end: number; state: StoredState }> = []
  for (let index = 0; index < stamps.length; index++) {
    const start = stamps[index] ?? 0
    const next = stamps[index + 1]
    if (next === start) continue
    const end = Math.min(Timeframe.periodEnd(timeframe, start), next ?? Number.POSITIVE_INFINITY)
    const last = coverage[coverage.length - 1]
    if (end > askedAt) coverage.push({ start, end, state: { _tag: "Provisional", response, until: end } })
    else if (last !== undefined && last.end === start) last.end = end
    else coverage.push({ start, end, state: { _tag: "Covered", response } })
  }
  return coverage
}
