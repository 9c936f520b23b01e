/** What an archived page of a vendor's history of trades or quotes says: the one way from its bytes to rows and what they prove. */
import { Effect } from "effect"
import { split } from "../../domain/records/EpochNanos.ts"
import type { TickSeries } from "../../domain/records/TickSeries.ts"
import type { Adapter, PageOfAnswer, VendorError } from "../../services/Adapter.ts"
import type { ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { RecordCommit } from "../../services/RecordStore.ts"
import type { TickHistory, TickPage } from "../../services/TickHistory.ts"
import { guarded, tooLarge } from "./decoderGuard.ts"
import type { ArchivedAnswer } from "./project.ts"
import { proofOf } from "./proofOf.ts"

export type TickVendor = Adapter & { readonly ticks: TickHistory }

/** Pages are cut between seconds. */
export const tickGrid = "1s"

export interface PageReading {
  readonly commit: RecordCommit
  readonly page: PageOfAnswer | null
}

const noRows: TickPage = { rows: [], positions: [], proves: null, next: null }

const decode = ({ name, ticks }: TickVendor, series: TickSeries, { payload, range, request }: ArchivedAnswer) =>
  guarded(
    name,
    (): Effect.Effect<TickPage, VendorError | ProvenanceStoreError> =>
      payload instanceof Uint8Array ? ticks.decode(series, payload, request, range) : Effect.fail(tooLarge(payload))
  )

/** Of what was not in the history yet when the page was asked for it proves nothing, and its rows are left out. */
export const readPage = Effect.fnUntraced(function* (
  vendor: TickVendor,
  series: TickSeries,
  answer: ArchivedAnswer
): Effect.fn.Return<PageReading, VendorError | ProvenanceStoreError> {
  const { limits, ticks } = vendor
  const { range, refusal, response } = answer
  const { next, positions, proves, rows } = refusal === null ? yield* decode(vendor, series, answer) : noRows
  const proven = refusal === null ? proves : range
  const coverage =
    proven === null
      ? []
      : proofOf({
          timeframe: tickGrid,
          limits: { ...limits, finalityDelay: ticks.delay, stampsOnGrid: true },
          calendar: null,
          range: proven,
          response: response.id,
          askedAt: response.askedAt,
          refusal,
          rows: rows.length
        }).filter(({ state }) => state._tag !== "Provisional")
  const end = coverage.at(-1)?.end ?? Number.NEGATIVE_INFINITY
  const late = rows.findIndex(({ tsNs }) => split(tsNs).millis >= end)
  const known = late === -1 ? rows.length : late
  return {
    commit: {
      series,
      response: response.id,
      askedAt: response.askedAt,
      fetchedAt: response.fetchedAt,
      decoderVersion: ticks.decoderVersion,
      // Rows of a series of trades are trades, and of one of quotes quotes.
      rows: rows.slice(0, known) as RecordCommit["rows"],
      positions: positions.slice(0, known),
      coverage
    },
    page:
      proves === null
        ? null
        : { from: proves.start, until: proves.end, next, mark: String(proves.end), continued: true, quiet: null }
  }
})
