import { Effect } from "effect"
import { isRecordedBars } from "../../domain/recordedBars.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { Decoding, Excerpt, FetchCapability, VendorError } from "../../services/Adapter.ts"
import type { ArchivedBytes } from "../../services/PayloadDraft.ts"
import { PayloadTooLarge, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { NoSuchRow, type Receipt } from "../../services/StitchingCache.ts"
import { importSource } from "../imports/importedLine.ts"
import { importedRow } from "../imports/importedRow.ts"
import { fetcherOf } from "../recording/RecordedBars.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { BarSeries } from "./project.ts"

/** A call is tried a few times; a retry policy that was raised beyond reason must not make a receipt of megabytes. */
const mostAttempts = 100

/** A payload that may not be held is read through for the one piece of it, where its adapter can. */
const pieceOf = (
  fetch: FetchCapability,
  payload: ArchivedBytes,
  position: number,
  decoding: Decoding
): Effect.Effect<Excerpt, VendorError | ProvenanceStoreError> => {
  if (payload instanceof Uint8Array) return fetch.locate(payload, position, decoding)
  if (fetch.locateStream !== undefined) return fetch.locateStream(payload.stream, position, decoding)
  const { limit, sizeBytes } = payload
  return Effect.fail(new ProvenanceStoreError({ reason: new PayloadTooLarge({ sizeBytes, limit }) }))
}

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
  const payload = response.sha256 === null ? new Uint8Array() : yield* archive.open(response.sha256)
  const isImported = request.source === importSource
  const { fetch } = yield* isImported || isRecordedBars(series.key)
    ? fetcherOf(registry, series.key)
    : registry.fetcher(request.source)
  const range = request.subject?.range ?? { start: ts, end: ts + 1 }
  const decoding = { series: series.key, range, request, metadata: response.metadata }
  // A segment of an import is small.
  const excerpt =
    isImported && payload instanceof Uint8Array
      ? yield* importedRow(payload, lineage.position, request.params)
      : yield* pieceOf(fetch, payload, lineage.position, decoding)
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
