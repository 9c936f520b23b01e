import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { TimeRange } from "../../domain/TimeRange.ts"
import { TradingSession } from "../../domain/TradingCalendar.ts"
import { CalendarDescription, CalendarError } from "../../services/Calendar.ts"
import { OnShutdown } from "./Border.ts"

const ranged = { name: Schema.String, range: TimeRange }

/** Trading calendars of the server: those that come with it, and those of its configuration. */
export class CalendarRpcs extends RpcGroup.make(
  /** In alphabetical order. */
  Rpc.make("Calendar.list", { success: Schema.Array(CalendarDescription) }),
  /** The sessions whose date (00:00Z) lies in the range, ascending; none where the calendar knows nothing. */
  Rpc.make("Calendar.sessions", {
    payload: ranged,
    success: TradingSession,
    error: CalendarError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** The parts of the range in which the exchange does not trade, breaks included: ascending and disjoint. */
  Rpc.make("Calendar.closures", {
    payload: ranged,
    success: TimeRange,
    error: CalendarError,
    stream: true
  }).annotate(OnShutdown, "cut")
) {}
