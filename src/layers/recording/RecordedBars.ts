/** Recorded bars as the stitching cache knows those of a vendor: they can be read and made again, and nobody can be asked for more. */
import { Duration, Effect } from "effect"
import { isRecordedBars } from "../../domain/recordedBars.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import { unlimited } from "../../domain/VendorLimits.ts"
import { type Adapter, type FetchCapability, Malformed, Unsupported, VendorError } from "../../services/Adapter.ts"
import type { AdapterRegistry, AdapterRegistryError } from "../../services/AdapterRegistry.ts"
import { lineAt } from "../imports/importedLine.ts"
import { readFrames } from "./readFrames.ts"
import { segmentParams } from "./segmentRequest.ts"
import { segmentDecoderVersion, segmentRows } from "./segmentRows.ts"

type Fetcher = Adapter & { readonly fetch: FetchCapability }

const make = (vendor: string): Fetcher => {
  const nobody = new VendorError({
    vendor,
    reason: new Unsupported({ message: "all there is of it was recorded; no vendor can be asked for what was not" })
  })
  return {
    name: vendor,
    type: "recording",
    description: "Bars that were recorded",
    account: vendor,
    limits: {
      ...unlimited,
      timeframes: Object.fromEntries(Timeframe.all.map((timeframe) => [timeframe, { maxSpan: null, maxRows: null }]))
    },
    storedOnly: true,
    fetch: {
      series: () => Effect.fail(nobody),
      request: () => Effect.fail(nobody),
      fetch: () => Effect.fail(nobody),
      decode: (payload) =>
        Effect.matchEffect(readFrames("bars", payload), {
          onFailure: ({ message }) =>
            Effect.fail(new VendorError({ vendor, reason: new Malformed({ position: null, message }) })),
          onSuccess: (frames) => {
            const { positions, rows } = segmentRows("bars", frames, null)
            return Effect.succeed({ bars: rows as ReadonlyArray<never>, positions, rejected: [] })
          }
        }),
      locate: (payload, position, { request }) => {
        const of = segmentParams(request.params)
        const name = of === null ? "the segment" : `segment ${of.segment} of session ${of.recording}`
        return Effect.succeed({ label: `line ${position} of ${name}`, text: lineAt(payload, position) })
      },
      cost: () => 0,
      decoderVersion: segmentDecoderVersion
    },
    symbols: Effect.succeed([]),
    ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "there is nobody to ask" })
  }
}

/** Who reads the answers about a series: its vendor's adapter; of recorded bars nobody needs to be configured for that. */
export const fetcherOf = (
  registry: AdapterRegistry["Service"],
  series: SeriesKey
): Effect.Effect<Fetcher, AdapterRegistryError> =>
  isRecordedBars(series) ? Effect.succeed(make(series.vendor)) : registry.fetcher(series.vendor)
