/** What a feed says beside its rows, as JSON texts; instants are ISO 8601 in UTC. */
import type { LifecycleEvent } from "../../../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../../../domain/streams/StreamKey.ts"
import { iso } from "../../../../domain/TimeRange.ts"

const types: { readonly [K in LifecycleEvent["_tag"]]: string } = {
  Started: "started",
  Gap: "gap",
  Resumed: "resumed",
  Repaired: "repaired",
  Unrepairable: "unrepairable",
  DataType: "data_type",
  SnapshotComplete: "snapshot_complete",
  Closed: "closed"
}

const fieldsOf = (event: LifecycleEvent): object => {
  switch (event._tag) {
    case "Started":
      return { at: iso(event.at), through: iso(event.through) }
    case "Gap":
      return { from: iso(event.from), reason: event.reason }
    case "Resumed":
      return { at: iso(event.at) }
    case "Repaired":
      return { from: iso(event.from), to: iso(event.to), rows: event.rows }
    case "Unrepairable":
      return { from: iso(event.from), to: iso(event.to), why: event.why, job: event.job }
    case "DataType":
      return { data_type: event.dataType }
    case "SnapshotComplete":
      return {}
    case "Closed":
      return { retryable: event.retryable, cause: event.cause }
  }
}

/** What became of one stream of a feed. */
export const wordText = (event: LifecycleEvent, { kind, symbol, vendor }: StreamKey): string =>
  JSON.stringify({ type: types[event._tag], kind, symbol, vendor, ...fieldsOf(event) })

/** `error` is the path of the typed error, where there is one. */
export const errorText = (error: string, detail: string, retryable: boolean): string =>
  JSON.stringify({ type: "error", error, detail, retryable })
