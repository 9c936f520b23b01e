/** The splits, dividends and capital gains that a chart tells of, with their dates on the exchange's clock. */
import { Result, Schema } from "effect"
import type { CorporateAction } from "../../../domain/CorporateAction.ts"
import type { ZoneClock } from "../../../domain/ZoneClock.ts"
import { sessionDate } from "./sessionDate.ts"
import { unwidened } from "./widened.ts"

// The keys of the maps are not read: for long intervals they are the stamp of the bar, not the date of the event.
const Cash = Schema.Record(
  Schema.String,
  Schema.Struct({ amount: Schema.Finite, date: Schema.Int, currency: Schema.optionalKey(Schema.NullOr(Schema.String)) })
)
const Events = Schema.Struct({
  dividends: Schema.optionalKey(Schema.NullOr(Cash)),
  capitalGains: Schema.optionalKey(Schema.NullOr(Cash)),
  splits: Schema.optionalKey(
    Schema.NullOr(
      Schema.Record(
        Schema.String,
        Schema.Struct({ date: Schema.Int, numerator: Schema.Finite, denominator: Schema.Finite })
      )
    )
  )
})
export type ChartEvents = typeof Events.Type

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Events))

export const noEvents: ChartEvents = {}

/** The events of a chart; fails with a sentence. */
export const chartEvents = (text: string): Result.Result<ChartEvents, string> =>
  Result.mapError(
    decode(text),
    (error) => `chart.result[0].events cannot be read: ${error.message.split("\n").join(" ")}`
  )

/** An action and the place of its event in the chart: -1 for the first, -2 for the second; rows of bars count from 0. */
export interface ChartAction {
  readonly action: CorporateAction
  readonly position: number
}

/** Ascending by date. Amounts are in `currency` where the event names none. */
export const chartActions = (
  events: ChartEvents,
  clock: ZoneClock,
  currency: string | null
): ReadonlyArray<ChartAction> => {
  const actions: Array<ChartAction> = []
  const add = (action: CorporateAction) => actions.push({ action, position: -1 - actions.length })
  const dateOf = (seconds: number) => sessionDate(seconds * 1000, clock, false)
  for (const { date, denominator, numerator } of Object.values(events.splits ?? {})) {
    add({ ts: dateOf(date), kind: "split", numerator, denominator })
  }
  const cash = (kind: "dividend" | "capital-gain", items: ChartEvents["dividends"]) => {
    for (const { amount, date, currency: own } of Object.values(items ?? {})) {
      add({ ts: dateOf(date), kind, amount: unwidened(amount), currency: own ?? currency })
    }
  }
  cash("dividend", events.dividends)
  cash("capital-gain", events.capitalGains)
  return actions.sort((a, b) => a.action.ts - b.action.ts || b.position - a.position)
}
