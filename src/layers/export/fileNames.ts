import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { type ExportFormat, manifestName, sumsName } from "./Manifest.ts"

/** File systems take 255 bytes; symbols of options and the like may be long. */
const longest = 120

const plain = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^[.-]/, "_")

const stemOf = (series: SeriesKey): string =>
  plain(
    [
      series.symbol,
      series.timeframe ?? series.kind,
      ...(series.price === "trade" || series.price === "none" ? [] : [series.price]),
      ...(series.session === "extended" ? [series.session] : []),
      ...(series.adjustment === "raw" ? [] : [series.adjustment])
    ].join("-")
  ).slice(0, longest)

/**
 * A file name for each series: its symbol and timeframe, with what sets it apart from the plain one. Letters, digits, `.`, `_` and `-`
 * only, and no two alike, also where case does not count.
 */
export const fileNames = (all: ReadonlyArray<SeriesKey>, format: ExportFormat): ReadonlyArray<string> => {
  const taken = new Set([manifestName, sumsName].map((name) => name.toLowerCase()))
  return all.map((series) => {
    const stem = stemOf(series)
    for (let number = 1; ; number++) {
      const name = `${stem}${number === 1 ? "" : `-${number}`}.${format}`
      if (taken.has(name.toLowerCase())) continue
      taken.add(name.toLowerCase())
      return name
    }
  })
}
