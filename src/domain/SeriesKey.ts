import { Result, Schema } from "effect"
import { Timeframe } from "./Timeframe.ts"

/** What the rows of a series are. Only `bar` series have a timeframe. */
export const SeriesKind = Schema.Literals([
  "bar",
  "trade",
  "quote",
  "statistic",
  "fundamental",
  "news",
  "option",
  "signal",
  "corporate-action"
])
export type SeriesKind = typeof SeriesKind.Type

/** The side of the market that a bar's prices come from; `none` for kinds that are not made of prices. */
export const PriceBasis = Schema.Literals(["trade", "bid", "ask", "mid", "none"])
export type PriceBasis = typeof PriceBasis.Type

/** Which part of the trading day the rows cover. */
export const SessionScope = Schema.Literals(["regular", "extended", "all"])
export type SessionScope = typeof SessionScope.Type

/** Which corporate actions the vendor has already worked into the prices. */
export const Adjustment = Schema.Literals(["raw", "splits", "all"])
export type Adjustment = typeof Adjustment.Type

// A lone surrogate has no UTF-8 form, so it has no canonical text either.
const Part = Schema.NonEmptyString.pipe(
  Schema.check(Schema.makeFilter((text) => text.isWellFormed() || "a lone surrogate is not text"))
)

/**
 * The identity of a series: two series that differ in any part never share rows or coverage.
 *
 * `symbol` is in the vendor's own normalised spelling (the adapter normalises it once, at the edge). `dataset` and `currency`
 * are null where the vendor has no such notion; `timeframe` is null for every kind but `bar`.
 */
export const SeriesKey = Schema.Struct({
  vendor: Part,
  dataset: Schema.NullOr(Part),
  symbol: Part,
  kind: SeriesKind,
  timeframe: Schema.NullOr(Timeframe),
  price: PriceBasis,
  session: SessionScope,
  currency: Schema.NullOr(Part),
  adjustment: Adjustment
}).pipe(
  Schema.check(
    Schema.makeFilter(
      (key) =>
        (key.kind === "bar") === (key.timeframe !== null) || "a bar series has a timeframe and no other series has one"
    )
  )
)
export interface SeriesKey extends Schema.Schema.Type<typeof SeriesKey> {}

const absent = "-"
const encodePart = (part: string | null): string =>
  part === null ? absent : part === absent ? "%2D" : encodeURIComponent(part)

/**
 * The canonical text of a key, the same in every runtime and release:
 * `v1/vendor/dataset/symbol/kind/timeframe/price/session/currency/adjustment`, each part percent-encoded as by
 * `encodeURIComponent`, an absent part written `-`. Its sha256 names the series wherever a fixed length is needed.
 */
export const canonical = (key: SeriesKey): string => {
  const known = spelled.get(key)
  if (known !== undefined) return known
  const text = spell(key)
  spelled.set(key, text)
  return text
}

// One read spells its key several times.
const spelled = new WeakMap<SeriesKey, string>()

const spell = (key: SeriesKey): string =>
  [
    "v1",
    key.vendor,
    key.dataset,
    key.symbol,
    key.kind,
    key.timeframe,
    key.price,
    key.session,
    key.currency,
    key.adjustment
  ]
    .map((part, index) => (index === 0 ? part : encodePart(part)))
    .join("/")

const decode = Schema.decodeUnknownResult(SeriesKey)

const decodePart = (part: string): Result.Result<string | null, unknown> =>
  part === absent ? Result.succeed(null) : Result.try(() => decodeURIComponent(part))

/** The inverse of {@link canonical}; fails with a sentence when the text is not a canonical key. */
export const parse = (text: string): Result.Result<SeriesKey, string> => {
  const [version, ...parts] = text.split("/")
  if (version !== "v1" || parts.length !== 9) {
    return Result.fail(`not a series key: ${text}; expected v1/ and nine parts`)
  }
  return Result.gen(function* () {
    const decoded: Array<string | null> = []
    for (const part of parts) decoded.push(yield* decodePart(part))
    const [vendor, dataset, symbol, kind, timeframe, price, session, currency, adjustment] = decoded
    const key = yield* decode({ vendor, dataset, symbol, kind, timeframe, price, session, currency, adjustment })
    const spelling = canonical(key)
    return spelling === text ? key : yield* Result.fail(`its canonical spelling is ${spelling}`)
  }).pipe(Result.mapError((cause) => `not a series key: ${text}: ${cause}`))
}
