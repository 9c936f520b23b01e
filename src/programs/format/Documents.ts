/** The JSON documents about ranges; docs/cli.md describes each. Instants are ISO 8601 with milliseconds, in UTC. */
import { type CoverageInterval, CoverageState, type Refused } from "../../domain/Coverage.ts"
import type { Plan } from "../../domain/Plan.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { RangeAnswer } from "../../services/StitchingCache.ts"

export const instant = (millis: number): string => new Date(millis).toISOString()
export const instantOrNull = (millis: number | null): string | null => (millis === null ? null : instant(millis))

export const rangeDocument = (range: TimeRange) => ({ start: instant(range.start), end: instant(range.end) })

/** What is known beside the status: the response that proves it, until when it is believed, why it is not there. */
const details = (state: CoverageState): object =>
  CoverageState.match(state, {
    Covered: ({ response }): object => ({ response }),
    Empty: ({ response, recheckAfter }) => ({ response, recheckAfter: instantOrNull(recheckAfter) }),
    Provisional: ({ response, until }) => ({ response, until: instant(until) }),
    NotEntitled: ({ response, until }) => ({ response, until: instant(until) }),
    NotFound: ({ response, until }) => ({ response, until: instant(until) }),
    Closed: ({ calendar }) => ({ calendar }),
    Missing: ({ cause }) => (cause === null ? {} : { cause: { _tag: cause.tag, message: cause.message } }),
    Throttled: ({ cause, retryAfter }) => (cause === undefined ? { retryAfter } : { retryAfter, cause }),
    Pending: ({ flight }) => ({ flight })
  })

/** A refusal that came after what it is about; nothing where there was none. */
export const refusalDocument = ({ refusal }: { readonly refusal?: Refused }) =>
  refusal === undefined
    ? {}
    : {
        refusal: {
          status: refusal.tag,
          response: refusal.response,
          recordedAt: instant(refusal.recordedAt),
          until: instant(refusal.until)
        }
      }

export const coverageDocument = (interval: CoverageInterval) => ({
  ...rangeDocument(interval),
  status: interval.state._tag,
  ...details(interval.state),
  ...refusalDocument(interval)
})

export const answerDocument = (answer: RangeAnswer) => ({
  series: canonical(answer.series),
  range: rangeDocument(answer.range),
  rowCount: answer.rowCount,
  requests: answer.requests,
  rowsFromVendor: answer.rowsFromVendor,
  ...(answer.rowsRejected === undefined ? {} : { rowsRejected: answer.rowsRejected }),
  ...(answer.seams === undefined ? {} : { seams: answer.seams.map(instant) }),
  ...(answer.derived === undefined ? {} : { derived: { from: canonical(answer.derived.from) } }),
  coverage: answer.coverage.map(coverageDocument)
})

/** The requests that are made under another symbol than the series has now. */
const symbolsOf = ({ requests }: Plan) => {
  const renamed = requests.flatMap(({ range, symbol }) =>
    symbol === undefined ? [] : [{ ...rangeDocument(range), symbol }]
  )
  return renamed.length === 0 ? {} : { symbols: renamed }
}

export const planDocument = (plan: Plan) => ({
  series: canonical(plan.series),
  range: rangeDocument(plan.range),
  policy: plan.policy,
  plannedAt: instant(plan.plannedAt),
  pieces: plan.pieces.map((piece) => ({
    ...rangeDocument(piece),
    from: piece.from,
    status: piece.state._tag,
    requests: piece.requests
  })),
  requests: plan.requests.length,
  ...symbolsOf(plan),
  ...(plan.atLeast === true ? { atLeast: true } : {}),
  waitMillis: plan.waits,
  cost: plan.cost
})
