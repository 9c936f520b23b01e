import type { LifecycleEvent } from "../../domain/streams/StreamEvent.ts"
import { counted } from "../format/Numbers.ts"
import { moment } from "../format/ZonedTime.ts"
import { oneLine } from "../terminal/Style.ts"

/** What has become of a stream, for a person; null for what need not be said. */
export const wordsOf = (symbol: string, event: LifecycleEvent): string | null => {
  switch (event._tag) {
    case "Gap":
      return `${symbol}: broken since ${moment(event.from)} (${oneLine(event.reason)})`
    case "Resumed":
      return `${symbol}: sends again`
    case "Repaired":
      return `${symbol}: ${moment(event.from)} to ${moment(event.to)} repaired, ${counted(event.rows, "row")} from the history`
    case "Unrepairable":
      return `${symbol}: ${moment(event.from)} to ${moment(event.to)} is missing (${oneLine(event.why)})${
        event.job === null ? "" : "; a job will have it stored later"
      }`
    case "Closed":
      return `${symbol}: ended (${oneLine(event.cause)})`
    case "DataType":
      return event.dataType === "live" ? null : `${symbol}: these data are ${event.dataType}`
    case "Started":
    case "SnapshotComplete":
      return null
  }
}
