/** The series that an imported row belongs to: from its own columns, else from the defaults. */
import { Result, Schema } from "effect"
import { canonical, SeriesKey } from "../../domain/SeriesKey.ts"
import type { ImportDefaults, ImportSpec } from "../../services/Imports.ts"

/** As the registry wants it. */
const vendorName = /^[a-z0-9][a-z0-9._-]*$/

const decode = Schema.decodeUnknownResult(SeriesKey)

export type SeriesParts = { -readonly [K in keyof ImportDefaults]: string | null }

export interface RowSeries {
  readonly key: SeriesKey
  readonly text: string
}

const required = (what: string, flag: string): Result.Result<never, string> =>
  Result.fail(`there is no ${what}: neither a column of that name nor --${flag}`)

/** Keys are made once for each combination of parts; rows of one series mostly stand together. */
export const seriesResolver = ({ kind, symbolCase }: Pick<ImportSpec, "kind" | "symbolCase">) => {
  const known = new Map<string, Result.Result<RowSeries, string>>()
  const make = (parts: SeriesParts): Result.Result<RowSeries, string> => {
    const { adjustment, currency, dataset, price, session, symbol, timeframe, vendor } = parts
    if (vendor === null) return required("vendor", "vendor")
    if (symbol === null) return required("symbol", "symbol")
    if (kind === "bar" && timeframe === null) return required("timeframe", "timeframe")
    const named = vendor.trim().toLowerCase()
    if (!vendorName.test(named)) {
      return Result.fail(`${JSON.stringify(vendor)} is no vendor's name: letters, digits, -, _ and . make one`)
    }
    const spelt = symbol.trim()
    const bars = kind === "bar"
    const decoded = decode({
      vendor: named,
      dataset,
      symbol: symbolCase === "upper" ? spelt.toUpperCase() : spelt,
      kind,
      timeframe: bars ? timeframe : null,
      price: bars ? (price ?? "trade") : "none",
      session: bars ? (session ?? "regular") : "all",
      currency,
      adjustment: bars ? (adjustment ?? "raw") : "raw"
    })
    return Result.mapBoth(decoded, {
      onFailure: () =>
        `no series is ${[vendor, symbol, ...(bars ? [timeframe, price, session, adjustment] : [])].filter((part) => part !== null).join(" ")}: ${problemOf(parts)}`,
      onSuccess: (key) => ({ key, text: canonical(key) })
    })
  }
  let lastText = ""
  let last: Result.Result<RowSeries, string> | null = null
  return (parts: SeriesParts): Result.Result<RowSeries, string> => {
    const text = `${parts.vendor}\u0000${parts.symbol}\u0000${parts.timeframe}\u0000${parts.dataset}\u0000${parts.price}\u0000${parts.session}\u0000${parts.currency}\u0000${parts.adjustment}`
    if (last !== null && text === lastText) return last
    const found = known.get(text) ?? make(parts)
    known.set(text, found)
    lastText = text
    last = found
    return found
  }
}

const isOf = (schema: Schema.Codec<unknown, unknown>, value: unknown): boolean =>
  Result.isSuccess(Schema.decodeUnknownResult(schema)(value))

const problemOf = ({ adjustment, price, session, symbol, timeframe }: SeriesParts): string => {
  const { fields } = SeriesKey
  if (symbol?.trim() === "") return "the symbol is empty"
  if (timeframe !== null && !isOf(fields.timeframe, timeframe)) return `the timeframe ${timeframe} is not known`
  if (price !== null && !isOf(fields.price, price)) return `price is one of trade, bid, ask, mid, none`
  if (session !== null && !isOf(fields.session, session)) return `session is one of regular, extended, all`
  if (adjustment !== null && !isOf(fields.adjustment, adjustment)) return `adjustment is one of raw, splits, all`
  return "one of its parts is no text"
}
