import { Option, Schema } from "effect"
import type { Excerpt } from "../../../services/Adapter.ts"

const Chart = Schema.Struct({
  chart: Schema.Struct({
    result: Schema.NonEmptyArray(
      Schema.Struct({
        timestamp: Schema.optionalKey(Schema.Array(Schema.Json)),
        events: Schema.optionalKey(Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Json))),
        indicators: Schema.Struct({
          quote: Schema.Array(Schema.Record(Schema.String, Schema.Json)),
          adjclose: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Json)))
        })
      })
    )
  })
})
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Chart))
const utf8 = new TextDecoder()

const itemOf = (list: Schema.Json | undefined, row: number): Schema.Json =>
  Array.isArray(list) && row < list.length ? (list[row] ?? null) : null

/** Events in the order in which decoding numbers them: -1 is the first. */
const kinds = ["splits", "dividends", "capitalGains"]

/**
 * The piece of a chart behind a bar (its row, from 0) or behind a corporate action (from -1 downwards), digit for digit as a JSON
 * reader sees it; null when there is no such piece.
 */
export const locateRow = (payload: Uint8Array, position: number): Excerpt | null => {
  const [result] = Option.getOrNull(decode(utf8.decode(payload)))?.chart.result ?? []
  if (result === undefined) return null
  if (position < 0) {
    const events = kinds.flatMap((kind) =>
      Object.entries(result.events?.[kind] ?? {}).map(([key, event]) => ({ kind, key, event }))
    )
    const found = events[-1 - position]
    return found === undefined
      ? null
      : {
          label: `event ${-position} (${found.kind})`,
          text: JSON.stringify(found.event),
          pointer: `/chart/result/0/events/${found.kind}/${found.key}`
        }
  }
  const timestamp = itemOf(result.timestamp, position)
  if (timestamp === null) return null
  const columns = { ...result.indicators.quote[0], ...result.indicators.adjclose?.[0] }
  const row = Object.fromEntries(Object.entries(columns).map(([name, list]) => [name, itemOf(list, position)]))
  return {
    label: `row ${position}`,
    text: JSON.stringify({ timestamp, ...row }),
    pointer: `/chart/result/0/timestamp/${position}`
  }
}
