/**
 * Answers about series of records that came from a vendor: segments of recorded streams, and pages of its history of trades and quotes. The one way from such an answer to the store, when it has come and when the store is made again.
 */
import { Data, Effect, Option, Result, Stream } from "effect"
import type { Request } from "../../domain/Request.ts"
import type { Response, ResponseStatus } from "../../domain/Response.ts"
import { isRecordedBars } from "../../domain/recordedBars.ts"
import { isRecordSeries, type RecordSeries } from "../../domain/records/RecordKind.ts"
import { isTickSeries } from "../../domain/records/TickSeries.ts"
import { canonical, parse, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { Timeframe } from "../../domain/Timeframe.ts"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { ProvenanceStore, ProvenanceStoreError, ReplayedResponse } from "../../services/ProvenanceStore.ts"
import type { RecordCommit } from "../../services/RecordStore.ts"
import { readFrames } from "../recording/readFrames.ts"
import { segmentKind, segmentParams } from "../recording/segmentRequest.ts"
import { segmentDecoderVersion, segmentRows } from "../recording/segmentRows.ts"
import type { ArchivedAnswer } from "../stitching/project.ts"
import { readPage } from "../stitching/tickPage.ts"

type BarKey = SeriesKey & { readonly timeframe: Timeframe }
type Archive = ProvenanceStore["Service"]
type Registry = AdapterRegistry["Service"]

/** The answer cannot be read as one about its series. */
export class UnreadableAnswer extends Data.TaggedError("UnreadableAnswer")<{ readonly message: string }> {}

const unreadable = (message: string) => new UnreadableAnswer({ message })

/** The series of records that a text names; null where it names another, or none. */
export const recordSeries = (text: string): RecordSeries | null => {
  const key = parse(text)
  return Result.isSuccess(key) && isRecordSeries(key.success) ? key.success : null
}

const refusals: Partial<Record<ResponseStatus, ArchivedAnswer["refusal"]>> = {
  not_found: "NotFound",
  not_entitled: "NotEntitled"
}

const historyPage = Effect.fnUntraced(
  function* (registry: Registry, series: RecordSeries, request: Request, response: Response, payload: Uint8Array) {
    if (!isTickSeries(series) || request.subject === null) {
      return yield* unreadable(`an answer about ${series.kind} rows is no page of a history`)
    }
    const adapter = yield* registry.fetcher(series.vendor)
    const { ticks } = adapter
    if (ticks === undefined) return yield* unreadable(`${series.vendor} has no history of single ${series.kind}s`)
    const { range } = request.subject
    const refusal = refusals[response.status] ?? null
    return (yield* readPage({ ...adapter, ticks }, series, { response, payload, range, request, refusal })).commit
  },
  Effect.mapError(({ message }) => unreadable(message))
)

const segment = Effect.fnUntraced(function* (
  series: RecordSeries,
  { params }: Request,
  response: Response,
  payload: Uint8Array
) {
  const of = segmentParams(params)
  if (of === null) return yield* unreadable("its request is not that of a segment")
  const frames = yield* Effect.mapError(readFrames(of.stream.kind, payload), ({ message }) => unreadable(message))
  const { positions, proven, rows } = segmentRows(of.stream.kind, frames, of.from)
  const commit: RecordCommit = {
    series,
    response: response.id,
    askedAt: response.askedAt,
    fetchedAt: response.fetchedAt,
    decoderVersion: segmentDecoderVersion,
    // The rows of a stream are those of the series that it is stored in.
    rows: rows as RecordCommit["rows"],
    positions,
    coverage: proven.map((range) => ({ ...range, state: { _tag: "Covered", response: response.id } }))
  }
  return commit
})

/** What an answer says of its series. */
export const recordCommit = (
  registry: Registry,
  series: RecordSeries,
  request: Request,
  response: Response,
  payload: Uint8Array
): Effect.Effect<RecordCommit, UnreadableAnswer> =>
  request.kind === segmentKind
    ? segment(series, request, response, payload)
    : historyPage(registry, series, request, response, payload)

export const replayed = (archive: Archive, id: Response["id"]): Effect.Effect<ReplayedResponse, ProvenanceStoreError> =>
  Effect.map(archive.response(id), (response) => ({
    call: response.request as ReplayedResponse["call"],
    response,
    bytes: response.sha256 === null ? Effect.succeed(null) : archive.open(response.sha256)
  }))

/** Every answer about a series of records that is wanted, series by series. */
export const recordAnswers = (
  archive: Archive,
  wanted: (series: RecordSeries) => boolean
): Stream.Stream<ReplayedResponse, ProvenanceStoreError> =>
  Stream.fromIterableEffect(
    Effect.map(archive.subjects, (subjects) =>
      subjects.map(recordSeries).filter((series) => series !== null && wanted(series))
    )
  ).pipe(
    Stream.flatMap((series) =>
      series === null ? Stream.empty : Stream.fromIterableEffect(archive.answersOf(canonical(series), 0))
    ),
    Stream.mapEffect((id) => replayed(archive, id))
  )

/** The series of records that a call was about; null where it was about another. */
export const seriesOfCall = ({ subject }: Request): RecordSeries | null =>
  subject === null ? null : Option.getOrNull(Option.fromNullishOr(recordSeries(subject.series)))

/** The series of recorded bars that a call was about; null where it was about another. */
export const barsOfCall = ({ subject }: Request): BarKey | null => {
  const key = Option.getOrNull(
    Option.flatMap(Option.fromNullishOr(subject), ({ series }) => Result.getSuccess(parse(series)))
  )
  if (key === null || key.timeframe === null || !isRecordedBars(key)) return null
  return { ...key, timeframe: key.timeframe }
}
