/**
 * A vendor of this app's own: the height of the water in a harbour, by the hour, as bars in metres above chart datum. Nothing is
 * fetched over a network; `fetch` computes what a server would send. The runtime archives, decodes and stores it like any other.
 */
import { Duration, Effect, Option, Schema } from "effect"
import { Adapter, Timeframe, TimeRange, VendorLimits } from "tapestry"

const harbours = new Map([
  ["DOVER", { mean: 3.78, swing: 2.6 }],
  ["BREST", { mean: 4.13, swing: 2.9 }]
])
const hour = 3_600_000
/** The principal lunar tide, in hours. */
const period = 12.420_601

/** Hundredths of a metre, as a gauge gives them. */
const height = (harbour: { readonly mean: number; readonly swing: number }, instant: number): number =>
  Math.round((harbour.mean + harbour.swing * Math.cos((2 * Math.PI * instant) / (period * hour))) * 100) / 100

const Asked = Schema.Struct({ harbour: Schema.String, start: Schema.Int, end: Schema.Int })
/** What the vendor sends: the opening instant and five heights an hour, a quarter of an hour apart. */
const Sent = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ hour: Schema.Int, heights: Schema.Array(Schema.Finite) }))
)

const refuse = (reason: Adapter.VendorErrorReason) => Effect.fail(new Adapter.VendorError({ vendor: "tides", reason }))
const unreadable = () => refuse(new Adapter.Malformed({ position: null, message: "this is not a table of tides" }))

const rowsOf = (payload: Uint8Array) =>
  Schema.decodeEffect(Sent)(new TextDecoder().decode(payload)).pipe(Effect.catch(unreadable))

const fetch: Adapter.FetchCapability = {
  series: ({ kind, symbol, timeframe }) =>
    kind !== "bar" || timeframe !== "1h"
      ? refuse(new Adapter.Unsupported({ message: "only bars of 1h" }))
      : Effect.succeed({
          vendor: "tides",
          dataset: null,
          symbol: symbol.trim().toUpperCase(),
          kind,
          timeframe,
          price: "none",
          session: "all",
          currency: null,
          adjustment: "raw"
        }),
  request: ({ symbol }, { end, start }) =>
    Effect.succeed({
      kind: "tides",
      method: "GET",
      params: { harbour: symbol, start, end },
      body: null,
      weight: 1,
      keys: {}
    }),
  fetch: ({ params }) =>
    Option.match(Schema.decodeUnknownOption(Asked)(params), {
      onNone: () => refuse(new Adapter.Rejected({ message: "not a request of this vendor" })),
      onSome: ({ end, harbour, start }) => {
        const known = harbours.get(harbour)
        if (known === undefined) return refuse(new Adapter.NotFound({ message: `no gauge in ${harbour}` }))
        const hours: Array<(typeof Sent.Type)[number]> = []
        for (let at = Timeframe.ceil("1h", start); at < end; at += hour) {
          hours.push({ hour: at, heights: [0, 1, 2, 3, 4].map((quarter) => height(known, at + (quarter * hour) / 4)) })
        }
        const body = new TextEncoder().encode(JSON.stringify(hours))
        return Effect.succeed({ body, metadata: { ...metadata, contentType: "application/json" }, refusal: null })
      }
    }),
  decode: (payload, { range }) =>
    Effect.map(rowsOf(payload), (rows) => {
      const wanted = [...rows.entries()].filter(([, row]) => TimeRange.contains(range, row.hour))
      const bars = wanted.map(([, { heights, hour }]) => ({
        ts: hour,
        open: heights[0] ?? 0,
        high: Math.max(...heights),
        low: Math.min(...heights),
        close: heights.at(-1) ?? 0,
        volume: null,
        vwap: null,
        count: null
      }))
      return { bars, positions: wanted.map(([index]) => index + 1), rejected: [] }
    }),
  locate: (payload, position) =>
    Effect.flatMap(rowsOf(payload), (rows) => {
      const row = rows[position - 1]
      return row === undefined ? unreadable() : Effect.succeed({ label: `hour ${position}`, text: JSON.stringify(row) })
    }),
  cost: () => 0,
  decoderVersion: 1
}

const metadata = { encoding: null, transportStatus: null, url: null, elapsedMillis: null, headers: {}, adapter: {} }

export const make: Adapter.MakeAdapter = Effect.succeed({
  name: "tides",
  type: "computed",
  description: "water above chart datum, computed from the principal lunar tide",
  account: "tides",
  limits: {
    ...VendorLimits.unlimited,
    timeframes: { "1h": { maxSpan: 7 * 24 * hour, maxRows: null } }
  },
  symbols: Effect.succeed([...harbours.keys()]),
  ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "arithmetic always answers" }),
  fetch
})
