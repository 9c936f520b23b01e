/** Series of single trades and quotes as the planner knows series: on the grid of seconds between which their pages are cut. */
import { Effect } from "effect"
import type { Request } from "../../domain/Request.ts"
import { isTickSeries, type TickSeries } from "../../domain/records/TickSeries.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import type { VendorLimits } from "../../domain/VendorLimits.ts"
import { type FetchCapability, Malformed, VendorError } from "../../services/Adapter.ts"
import type { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { RecordStore } from "../../services/RecordStore.ts"
import { recordCommit } from "../imports/recordAnswers.ts"
import { segmentKind } from "../recording/segmentRequest.ts"
import { unsupported } from "./barSeries.ts"
import type { ArchivedAnswer, BarSeries, Fetcher } from "./project.ts"
import { readPage, type TickVendor, tickGrid } from "./tickPage.ts"

interface Services {
  readonly registry: AdapterRegistry["Service"]
  readonly records: RecordStore["Service"]
}

/** The vendor of a series, where it has a history of such rows. */
export const tickVendor = Effect.fnUntraced(function* (
  { registry }: Pick<Services, "registry">,
  { kind, vendor }: TickSeries
) {
  const adapter = yield* registry.fetcher(vendor)
  const { ticks } = adapter
  return ticks === undefined
    ? yield* unsupported(vendor, `it has no history of single ${kind}s`)
    : { ...adapter, ticks }
})

/** The vendor as one of bars would be whose bars of a second are the pages of its history. */
export const tickFetcher = (vendor: TickVendor & Fetcher): Fetcher => {
  const { fetch, limits, name, ticks } = vendor
  const noBars = unsupported(name, "trades and quotes are no bars")
  const asPlanned: VendorLimits = {
    ...limits,
    timeframes: { [tickGrid]: { maxSpan: null, maxRows: null } },
    earliest: ticks.earliest,
    finalityDelay: ticks.delay,
    alignment: null,
    stampsOnGrid: true,
    calendar: null,
    recheckAfter: null
  }
  const capability: FetchCapability = {
    series: ticks.series,
    request: (series, range) => (isTickSeries(series) ? ticks.request(series, range) : Effect.fail(noBars)),
    fetch: fetch.fetch,
    decode: () => Effect.fail(noBars),
    locate: fetch.locate,
    cost: fetch.cost,
    decoderVersion: ticks.decoderVersion
  }
  return { ...vendor, limits: asPlanned, fetch: capability }
}

const fromArchive = (request: ArchivedAnswer["request"]): request is Request => "subject" in request

/** Of a vendor that is not there any more, or has no history of such rows, nothing can be applied. */
export const tickSeries = (services: Services, key: TickSeries, vendor: TickVendor | null): BarSeries => {
  const { records, registry } = services

  const reading = Effect.fnUntraced(function* (answer: ArchivedAnswer) {
    const { payload, request, response } = answer
    // What was recorded of the live stream is about the same series.
    if (fromArchive(request) && request.kind === segmentKind && payload instanceof Uint8Array) {
      const commit = yield* recordCommit(registry, key, request, response, payload).pipe(
        Effect.mapError(
          ({ message }) => new VendorError({ vendor: key.vendor, reason: new Malformed({ position: null, message }) })
        )
      )
      return { commit, page: null }
    }
    return vendor === null
      ? yield* unsupported(key.vendor, `it has no history of single ${key.kind}s`)
      : yield* readPage(vendor, key, answer)
  })

  return {
    key,
    text: canonical(key),
    timeframe: tickGrid,
    calendar: null,
    closedIn: () => [],
    apply: Effect.fnUntraced(function* (answer) {
      const { commit, page } = yield* reading(answer)
      const result = yield* records.commit(commit)
      return { rows: commit.rows.length, rejected: 0, result, page }
    })
  }
}
