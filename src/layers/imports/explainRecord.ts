/** The chain from stored records of an instant back to the bytes that each was read from. */
import { Effect, Result, Stream } from "effect"
import type { Request } from "../../domain/Request.ts"
import type { SplitInstant } from "../../domain/records/EpochNanos.ts"
import { type AnyRecord, identityOf, instantOf, type RecordSeries } from "../../domain/records/RecordKind.ts"
import { frameDecoder } from "../../domain/streams/SegmentFrame.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { Excerpt } from "../../services/Adapter.ts"
import type { RecordReceipt } from "../../services/Imports.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { RecordStore, StoredRecord } from "../../services/RecordStore.ts"
import { recordsText } from "../export/RecordsText.ts"
import { segmentKind, segmentParams } from "../recording/segmentRequest.ts"
import { importSource, lineAt, wholeLine } from "./importedLine.ts"
import { importedRow } from "./importedRow.ts"

/** A call is tried a few times; a retry policy that was raised beyond reason must not make a receipt of megabytes. */
const mostAttempts = 100

interface Piece {
  readonly excerpt: Excerpt
  readonly receivedAt: EpochMillis | null
}

const pieceOf = Effect.fnUntraced(function* (
  series: RecordSeries,
  row: AnyRecord,
  payload: Uint8Array | null,
  position: number,
  { kind, params, source }: Request
) {
  if (payload !== null && source === importSource) {
    const piece: Piece = { excerpt: yield* importedRow(payload, position, params), receivedAt: null }
    return piece
  }
  const segment = kind === segmentKind ? segmentParams(params) : null
  if (payload !== null && segment !== null) {
    const frame = frameDecoder(segment.stream.kind)(wholeLine(payload, position))
    const piece: Piece = {
      excerpt: {
        label: `line ${position} of segment ${segment.segment} of session ${segment.recording}`,
        text: lineAt(payload, position)
      },
      receivedAt: Result.isSuccess(frame) ? frame.success.at : null
    }
    return piece
  }
  // A page of a history is in the vendor's form, which only its decoder reads.
  const text = recordsText(series.kind, "ndjson").rows(series, [row]).trimEnd()
  const piece: Piece = {
    excerpt: { label: `row ${position + 1} of the answer, as it was read`, text },
    receivedAt: null
  }
  return piece
})

/** Those of a millisecond, or, where `nanos` is not 0, of one instant in it; in their order, at most `limit`. */
export const explainRecords = Effect.fnUntraced(function* (
  archive: ProvenanceStore["Service"],
  records: RecordStore["Service"],
  series: RecordSeries,
  { millis, nanos }: SplitInstant,
  { asOf, limit }: { readonly asOf?: EpochMillis; readonly limit: number }
): Effect.fn.Return<ReadonlyArray<RecordReceipt>, MarketStoreError | ProvenanceStoreError> {
  const range = { start: millis, end: millis + 1 }
  const found: ReadonlyArray<StoredRecord> = yield* records
    .storedRows(series, range, asOf === undefined ? {} : { asOf })
    .pipe(
      Stream.filter(({ row }) => nanos === 0 || instantOf(row).nanos === nanos),
      Stream.take(limit),
      Stream.runCollect
    )
  const past = found.length === 0 ? [] : yield* Stream.runCollect(records.revisions(series, range))
  return yield* Effect.forEach(found, ({ lineage, row }) =>
    Effect.gen(function* () {
      const response = yield* archive.response(lineage.response)
      const request = yield* archive.request(response.request)
      const attempts = yield* archive.responses({ request: request.id, limit: mostAttempts })
      const opened = response.sha256 === null ? null : yield* archive.open(response.sha256)
      const payload = opened instanceof Uint8Array ? opened : null
      const identity = identityOf(series.kind, row)
      const receipt: RecordReceipt = {
        series,
        row,
        lineage,
        response,
        request,
        attempts: attempts.toReversed(),
        ...(yield* pieceOf(series, row, payload, lineage.position, request)),
        before: past.filter(
          (revision) =>
            instantOf(revision.row).nanos === instantOf(row).nanos &&
            identityOf(series.kind, revision.row) === identity &&
            revision.supersededAt <= (asOf ?? Number.POSITIVE_INFINITY)
        )
      }
      return receipt
    })
  )
})
