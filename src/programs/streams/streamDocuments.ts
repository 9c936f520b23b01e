/** The JSON lines of live streams; docs/cli.md describes them. Instants are ISO 8601 in UTC, of ticks with nine digits. */
import { isoNanos } from "../../domain/records/instantText.ts"
import { isRows, type LifecycleEvent, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { StreamRow } from "../../domain/streams/StreamRow.ts"
import { instant } from "../format/Documents.ts"

/** A row as the fields of a JSON object. */
export const rowDocument = (row: StreamRow): object => {
  if ("tsNs" in row) {
    const { tsNs, ...rest } = row
    return { ts: isoNanos(tsNs), ...rest }
  }
  const { ts, ...rest } = row
  return { ts: instant(ts), ...rest }
}

const instants = new Set(["at", "from", "to", "through"])

const wordDocument = ({ _tag, ...fields }: LifecycleEvent): object => ({
  event: _tag,
  ...Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      instants.has(name) && typeof value === "number" ? instant(value) : value
    ])
  )
})

/** One line for each row and each word of an item. */
export const documentsOf = ({ event, stream }: StreamItem, keys: ReadonlyArray<StreamKey>): ReadonlyArray<object> => {
  const key = keys[stream]
  const symbol = key?.symbol ?? ""
  if (!isRows(event)) {
    // Where there are streams of several kinds, the symbol does not say of which it is.
    const kind = keys.every((other) => other.kind === key?.kind) ? {} : { kind: key?.kind }
    return [{ symbol, ...kind, ...wordDocument(event) }]
  }
  const about = {
    symbol,
    event: event._tag,
    ...(event.snapshot ? { snapshot: true } : {}),
    ...(event.dropped > 0 ? { dropped: event.dropped } : {})
  }
  return event.rows.map((row) => ({ ...about, ...rowDocument(row) }))
}
