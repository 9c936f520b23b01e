/** A vendor's description as a document and as fields. */
import type { VendorLimits } from "../../domain/VendorLimits.ts"
import type { VendorDescription } from "../../services/AdapterRegistry.ts"
import { instantOrNull } from "./Documents.ts"
import { counted, duration, grouped } from "./Numbers.ts"
import { brief } from "./ZonedTime.ts"

export const vendorDocument = (vendor: VendorDescription) => ({
  ...vendor,
  limits: { ...vendor.limits, earliest: instantOrNull(vendor.limits.earliest) }
})

const timeframesOf = (limits: VendorLimits): string =>
  Object.entries(limits.timeframes)
    .map(([timeframe, limit]) => {
      const bounds = [
        ...(limit?.maxSpan == null ? [] : [duration(limit.maxSpan)]),
        ...(limit?.maxRows == null ? [] : [counted(limit.maxRows, "row")])
      ]
      const said = [
        ...(bounds.length === 0 ? [] : [`${bounds.join(", ")} a request`]),
        ...(limit?.maxAge == null ? [] : [`the last ${duration(limit.maxAge)}`])
      ]
      return said.length === 0 ? timeframe : `${timeframe} (${said.join("; ")})`
    })
    .join(", ")

const rateOf = (limits: VendorLimits): string =>
  limits.windows.length === 0
    ? "no limit"
    : limits.windows
        .map(({ limit, span, key }) => `${grouped(limit)} in ${duration(span)}${key === null ? "" : ` per ${key}`}`)
        .join(", ")

const shownSymbols = 20

const symbolsText = (symbols: ReadonlyArray<string>): string =>
  symbols.length === 0
    ? "not listed by this vendor"
    : symbols.length <= shownSymbols
      ? symbols.join(" ")
      : `${symbols.slice(0, shownSymbols).join(" ")} and ${grouped(symbols.length - shownSymbols)} more`

export const vendorFields = (
  vendor: VendorDescription,
  symbols: ReadonlyArray<string>
): ReadonlyArray<readonly [string, string]> => {
  const { limits } = vendor
  return [
    ["vendor", vendor.name],
    ["type", vendor.type],
    ["description", vendor.description],
    ["account", vendor.account],
    ["can", vendor.capabilities.join(" ")],
    ["symbols", symbolsText(symbols)],
    ["timeframes", timeframesOf(limits)],
    ["adjustments", limits.adjustments.join(" ")],
    ["earliest", limits.earliest === null ? "not known" : brief(limits.earliest)],
    [
      "final after",
      limits.finalityDelay === 0 ? "the period's end" : `the period's end and ${duration(limits.finalityDelay)}`
    ],
    [
      "rechecked",
      limits.recheckAfter === null ? "never" : `once, ${duration(limits.recheckAfter)} after it became final`
    ],
    ["calendar", limits.calendar ?? "none: bars may come at any time"],
    ["rate", rateOf(limits)],
    [
      "at once",
      `${counted(limits.concurrency, "request")} of a plan${limits.maxInFlight === null ? "" : `, ${grouped(limits.maxInFlight)} of the account`}`
    ],
    ["decoder", vendor.decoderVersion === null ? "-" : `version ${vendor.decoderVersion}`]
  ]
}
