import { Effect } from "effect"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { NoSuchRow, type Receipt } from "../../services/StitchingCache.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { BarSeries } from "./project.ts"

/** A call is tried a few times; a retry policy that was raised beyond reason must not make a receipt of megabytes. */
const mostAttempts = 100

/** The chain from a stored row back to the line of the bytes that it was read from. */
export const explain = Effect.fnUntraced(function* (
  { archive, market, registry }: CacheContext,
  series: BarSeries,
  ts: EpochMillis,
  asOf: EpochMillis | undefined
) {
  const stored = yield* market.barAt(series.key, ts, asOf === undefined ? {} : { asOf })
  if (stored === null) return yield* new NoSuchRow({ ts, series: series.text })
  const { bar, final, lineage } = stored
  const response = yield* archive.response(lineage.response)
  const request = yield* archive.request(response.request)
  const attempts = yield* archive.responses({ request: request.id, limit: mostAttempts })
  const payload = response.sha256 === null ? new Uint8Array() : yield* archive.payload(response.sha256)
  const { fetch } = yield* registry.fetcher(request.source)
  const range = request.subject?.range ?? { start: ts, end: ts + 1 }
  const excerpt = yield* fetch.locate(payload, lineage.position, {
    series: series.key,
    range,
    request,
    metadata: response.metadata
  })
  const [known] = yield* market.coverage(series.key, { start: ts, end: ts + 1 }, asOf === undefined ? {} : { asOf })
  const then = fetch.symbolPeriods?.(series.key).find(({ end, start }) => start <= ts && ts < end)
  const receipt: Receipt = {
    series: series.key,
    bar,
    final,
    lineage,
    response,
    request,
    ...(then?.symbol === undefined || then.symbol === null || then.symbol === series.key.symbol
      ? {}
      : { symbol: then.symbol }),
    attempts: attempts.toReversed(),
    excerpt,
    ...(known?.refusal === undefined ? {} : { refusal: known.refusal })
  }
  return receipt
})
