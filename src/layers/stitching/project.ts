import { Effect } from "effect"
import type * as Intervals from "../../domain/Intervals.ts"
import type { Request } from "../../domain/Request.ts"
import type { Response } from "../../domain/Response.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { Timeframe } from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { TradingCalendar } from "../../domain/TradingCalendar.ts"
import {
  type Adapter,
  type DecodedBars,
  type Decoder,
  type Decoding,
  type FetchCapability,
  Malformed,
  type PageOfAnswer,
  VendorError,
  type VendorRequest
} from "../../services/Adapter.ts"
import { decoderFor } from "../../services/decoders.ts"
import type { Commit, CommitResult, GenerationId, MarketStore, MarketStoreError } from "../../services/MarketStore.ts"
import type { ArchivedBytes } from "../../services/PayloadDraft.ts"
import type { ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { segmentBars } from "../recording/segmentBars.ts"
import { segmentKind } from "../recording/segmentRequest.ts"
import { guarded, tooLarge } from "./decoderGuard.ts"
import { proofOf } from "./proofOf.ts"

export type Fetcher = Adapter & { readonly fetch: FetchCapability }

/** What became of an answer: the rows that it had, those that a lenient vendor dropped, and which part of its range it is about. */
export interface Projected {
  readonly rows: number
  readonly rejected: number
  readonly result: CommitResult
  readonly page: PageOfAnswer | null
}

/** A series as the planner needs it: with its timeframe in hand, which of single trades and quotes is the second by which pages are cut. */
export interface BarSeries {
  readonly key: SeriesKey
  /** Canonical text of the key. */
  readonly text: string
  readonly timeframe: Timeframe
  /** When its exchange trades; null: not known, every instant may have a bar. */
  readonly calendar: TradingCalendar | null
  /** The stamps of a range, and of the bars that its bounds cut, for which the calendar says that there is no bar. */
  readonly closedIn: (range: TimeRange) => Intervals.Ranges
  /** Of rows that are no bars: how an answer comes into the store, see tickSeries.ts. */
  readonly apply?: (
    answer: ArchivedAnswer
  ) => Effect.Effect<Projected, VendorError | MarketStoreError | ProvenanceStoreError>
}

/** An archived answer with what it was asked for. */
export interface ArchivedAnswer {
  readonly response: Response
  readonly payload: ArchivedBytes
  readonly range: TimeRange
  readonly request: Pick<VendorRequest, "kind" | "method" | "params" | "body"> | Request
  readonly refusal: "NotFound" | "NotEntitled" | null
}

/** What a segment of a recorded stream says: it proves what was told in it, whatever it was archived for. */
const readSegment = Effect.fnUntraced(function* (
  name: string,
  series: BarSeries,
  { payload, request, response }: ArchivedAnswer,
  generation?: GenerationId
) {
  if (!(payload instanceof Uint8Array)) return yield* tooLarge(payload)
  const { commit, rejected } = yield* Effect.mapError(
    segmentBars(series.key, series.timeframe, request.params, response, payload, generation),
    ({ message }) => new VendorError({ vendor: name, reason: new Malformed({ position: null, message }) })
  )
  return { commit, rejected, page: null } satisfies Reading
})

const noRows: DecodedBars = { bars: [], positions: [], rejected: [] }

/** An archived answer as rows and what they prove. */
export interface Reading {
  readonly commit: Commit
  /** Rows that a lenient vendor dropped. */
  readonly rejected: number
  /** Of an answer in pages: which part of it this is. */
  readonly page: PageOfAnswer | null
}

/**
 * Reads an archived answer. Fails with Malformed when the bytes cannot be read; they stay in the archive and nothing is
 * covered.
 */
export const readAnswer = Effect.fnUntraced(function* (
  fetcher: Fetcher,
  series: BarSeries,
  answer: ArchivedAnswer,
  generation?: GenerationId
) {
  const { range, refusal, request, response } = answer
  if (request.kind === segmentKind) return yield* readSegment(fetcher.name, series, answer, generation)
  const decoder = decoderFor(fetcher.fetch, response.askedAt)
  const decoded =
    refusal === null
      ? yield* decode(fetcher.name, decoder, answer.payload, {
          series: series.key,
          range,
          request,
          metadata: response.metadata
        })
      : noRows
  const proof = (stretch: TimeRange, rows: number) =>
    proofOf({
      timeframe: series.timeframe,
      limits: fetcher.limits,
      calendar: series.calendar,
      range: stretch,
      response: response.id,
      askedAt: response.askedAt,
      refusal,
      rows
    })
  const { page } = decoded
  const coverage =
    page === undefined
      ? proof(range, decoded.bars.length)
      : [
          ...(page.quiet === null ? [] : proof(page.quiet, 1)),
          ...proof(
            { start: page.from, end: Math.max(page.from, page.until) },
            decoded.bars.length + (page.continued ? 1 : 0)
          )
        ]
  const proven = coverage.at(-1)?.end ?? range.start
  // Some vendors answer with bars of the future (dividend days, padded sessions). They are in the archive and prove nothing.
  const known = (decoded.bars.at(-1)?.ts ?? -Infinity) < proven ? decoded.bars.length : countBefore(decoded, proven)
  const commit: Commit = {
    series: series.key,
    response: response.id,
    askedAt: response.askedAt,
    fetchedAt: response.fetchedAt,
    decoderVersion: decoder.version,
    bars: known === decoded.bars.length ? decoded.bars : decoded.bars.slice(0, known),
    positions: known === decoded.bars.length ? decoded.positions : decoded.positions.slice(0, known),
    coverage,
    ...actionsBefore(decoded, proven),
    allowNonPositivePrices: decoded.allowNonPositivePrices === true,
    ...(generation === undefined ? {} : { generation })
  }
  return { commit, rejected: decoded.rejected.length, page: page ?? null } satisfies Reading
})

/**
 * Makes rows and coverage of an archived answer: the one way from bytes to the store, for what was just fetched and for what
 * the archive has. Applying an answer twice changes nothing.
 */
export const project = Effect.fnUntraced(function* (
  market: MarketStore["Service"],
  fetcher: Fetcher,
  series: BarSeries,
  answer: ArchivedAnswer,
  generation?: GenerationId
) {
  if (series.apply !== undefined) return yield* series.apply(answer)
  const { commit, page, rejected } = yield* readAnswer(fetcher, series, answer, generation)
  const result = yield* market.commit(commit)
  return { rows: commit.bars.length, rejected, result, page } satisfies Projected
})

const decode = (name: string, decoder: Decoder, payload: ArchivedBytes, decoding: Decoding) =>
  guarded(name, (): Effect.Effect<DecodedBars, VendorError | ProvenanceStoreError> => {
    if (payload instanceof Uint8Array) return decoder.decode(payload, decoding)
    if (decoder.decodeStream !== undefined) return decoder.decodeStream(payload.stream, decoding)
    return Effect.fail(tooLarge(payload))
  })

/** An answer proves nothing of dates beyond its coverage: an announced dividend is told again when its date has come. */
const actionsBefore = ({ actions }: DecodedBars, end: number): Pick<Commit, "actions"> => {
  if (actions === undefined) return {}
  const known = actions.rows.findIndex((action) => action.ts >= end)
  const count = known === -1 ? actions.rows.length : known
  const complete =
    actions.complete === null || actions.complete.start >= end
      ? null
      : { start: actions.complete.start, end: Math.min(actions.complete.end, end) }
  return { actions: { rows: actions.rows.slice(0, count), positions: actions.positions.slice(0, count), complete } }
}

const countBefore = ({ bars }: DecodedBars, end: number): number => {
  const first = bars.findIndex((bar) => bar.ts >= end)
  return first === -1 ? bars.length : first
}
