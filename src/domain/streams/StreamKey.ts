import { Schema } from "effect"
import { Timeframe } from "../Timeframe.ts"
import { StreamKind } from "./StreamKind.ts"

/** Whatever else the vendor lets a subscriber choose (`exchange`, `rows`, `genericTicks`), in its own words. */
export const StreamParams = Schema.Record(Schema.String, Schema.String)
export type StreamParams = typeof StreamParams.Type

/** As the symbol of a stream of an account: the only account that there is. Where there are several, the refusal lists them. */
export const onlyAccount = "default"

/**
 * What a user says of a stream; the vendor's adapter fills in and normalises the rest. `symbol` is the account for the kinds that are of
 * an account, or `default` for the only one. Only bars have a timeframe: the shortest that the vendor streams unless given.
 */
export const StreamQuery = Schema.Struct({
  symbol: Schema.NonEmptyString,
  kind: StreamKind,
  timeframe: Schema.optionalKey(Timeframe),
  params: Schema.optionalKey(StreamParams)
})
export interface StreamQuery extends Schema.Schema.Type<typeof StreamQuery> {}

/** The identity of a stream: subscriptions whose keys are equal share one upstream. Only bars have a timeframe. */
export const StreamKey = Schema.Struct({
  vendor: Schema.NonEmptyString,
  symbol: Schema.NonEmptyString,
  kind: StreamKind,
  timeframe: Schema.NullOr(Timeframe),
  params: StreamParams
}).pipe(
  Schema.check(
    Schema.makeFilter(
      ({ kind, timeframe }) => (kind === "bars") === (timeframe !== null) || "bars and only bars have a timeframe"
    )
  )
)
export interface StreamKey extends Schema.Schema.Type<typeof StreamKey> {}

/** Equal for equal keys: `vendor/kind/symbol/timeframe`, then the parameters by name, each part percent-encoded. */
export const canonical = ({ kind, params, symbol, timeframe, vendor }: StreamKey): string => {
  const text = [vendor, kind, symbol, timeframe ?? "-"].map(encodeURIComponent).join("/")
  const names = Object.keys(params).sort()
  if (names.length === 0) return text
  return `${text}?${names.map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(params[name] ?? "")}`).join("&")}`
}
