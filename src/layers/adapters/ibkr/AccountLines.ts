/**
 * The lines of an account, of each sort: who of the subscriptions and of the questions has one, and who waits for one. All wait in one order (LineQuota).
 */
import { Effect, type Scope } from "effect"
import { Disconnected, IbkrError } from "../../../services/IbkrSession.ts"
import { ibkrLines } from "../../../services/Metrics.ts"
import { pulled } from "../../metrics/pulled.ts"
import { LineLease, lease } from "./LineLease.ts"
import { type LineLimits, LineQuota, type LineSort, lineSorts } from "./LineQuota.ts"

export interface AccountLines<Line extends object> {
  readonly of: Readonly<Record<LineSort, LineQuota<Line | LineLease>>>
  /** It needs its line no more, or waits for none. */
  readonly release: (sort: LineSort, one: Line | LineLease) => void
  /** One line more may be tried. */
  readonly grow: (sort: LineSort) => void
  /** A line for a question, until the scope closes. Fails where there is none within so many milliseconds. */
  readonly lease: (sort: LineSort, within: number) => Effect.Effect<LineLease, IbkrError, Scope.Scope>
  /** The connection has ended: nobody has one. */
  readonly clear: (reason: string) => void
  /** Has the metrics tell of them, while the scope lives; of several gateways in one process the last one's. */
  readonly show: Effect.Effect<void, never, Scope.Scope>
}

/** `admitted`: there is a line for one that waited. */
export const make = <Line extends object>(limits: LineLimits, admitted: (line: Line) => void): AccountLines<Line> => {
  const quotaOf = (sort: LineSort) => new LineQuota<Line | LineLease>(sort, limits[sort])
  const quotas = {
    "market-data": quotaOf("market-data"),
    depth: quotaOf("depth"),
    "tick-by-tick": quotaOf("tick-by-tick")
  }
  const waiting = new Set<LineLease>()

  const admit = (next: Line | LineLease) => {
    if (next instanceof LineLease) next.admit()
    else admitted(next)
  }
  const release = (sort: LineSort, one: Line | LineLease) => quotas[sort].release(one).forEach(admit)

  return {
    of: quotas,
    release,
    grow: (sort) => quotas[sort].grow().forEach(admit),
    lease: (sort, within) => lease(quotas[sort], waiting, within, (one) => release(sort, one)),
    clear: (reason) => {
      for (const sort of lineSorts) quotas[sort].clear()
      for (const one of waiting) one.fail(new IbkrError({ reason: new Disconnected({ message: reason }) }))
    },
    show: Effect.forEach(
      lineSorts,
      (sort) => {
        const quota = quotas[sort]
        return Effect.all([
          pulled(ibkrLines(sort, "used"), () => ({ value: quota.held })),
          pulled(ibkrLines(sort, "limit"), () => ({ value: quota.limit })),
          pulled(ibkrLines(sort, "waiting"), () => ({ value: quota.waiting }))
        ])
      },
      { discard: true }
    )
  }
}
