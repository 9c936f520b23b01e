import { Result } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import { all as allTimeframes } from "../../../domain/Timeframe.ts"
import type { SeriesQuery } from "../../../services/Adapter.ts"
import type { FileEntry } from "./FileCatalogue.ts"

const distinct = (values: ReadonlyArray<string>): string => Array.from(new Set(values)).join(", ")

/** The timeframes of some entries, shortest first. */
export const timeframesOf = (entries: ReadonlyArray<FileEntry>): string =>
  allTimeframes.filter((timeframe) => entries.some((entry) => entry.decoding.timeframe === timeframe)).join(", ")

const narrow = (
  entries: ReadonlyArray<FileEntry>,
  what: string,
  asked: string | null | undefined,
  part: (entry: FileEntry) => string | null
): Result.Result<ReadonlyArray<FileEntry>, string> => {
  if (asked === undefined) return Result.succeed(entries)
  const left = entries.filter((entry) => part(entry) === asked)
  return left.length > 0
    ? Result.succeed(left)
    : Result.fail(`no files with ${what} ${asked}; offered: ${distinct(entries.map((entry) => part(entry) ?? "none"))}`)
}

/**
 * The entries that a query may mean; more than one when only the symbol can tell. Without a price, trades are meant where
 * there are some. Fails with a sentence that lists what is offered.
 */
export const candidates = (
  entries: ReadonlyArray<FileEntry>,
  query: SeriesQuery
): Result.Result<ReadonlyArray<FileEntry>, string> =>
  Result.gen(function* () {
    if (query.kind !== "bar") return yield* Result.fail(`files hold bars, not ${query.kind}; ask for a bar`)
    const timed = entries.filter((entry) => entry.decoding.timeframe === query.timeframe)
    if (timed.length === 0) {
      return yield* Result.fail(
        `no files with bars of ${query.timeframe ?? "no timeframe"}; offered: ${timeframesOf(entries)}`
      )
    }
    const priced = yield* narrow(timed, "price", query.price, (entry) => entry.price)
    const inSet = yield* narrow(priced, "dataset", query.dataset, (entry) => entry.dataset)
    const inSession = yield* narrow(inSet, "session", query.session, (entry) => entry.session)
    const inCurrency = yield* narrow(inSession, "currency", query.currency, (entry) => entry.currency)
    const left = yield* narrow(inCurrency, "adjustment", query.adjustment, (entry) => entry.adjustment)
    const trades = left.filter((entry) => entry.price === "trade")
    return trades.length > 0 ? trades : left
  })

/** How entries that fit equally well differ, for a message that asks for more. */
export const differences = (entries: ReadonlyArray<FileEntry>): string =>
  entries
    .map(
      ({ adjustment, currency, dataset, price, session }) =>
        `price ${price}, dataset ${dataset ?? "none"}, session ${session}, currency ${currency ?? "none"}, adjustment ${adjustment}`
    )
    .join("; or ")

export const seriesKey = (vendor: string, entry: FileEntry, symbol: string): SeriesKey => ({
  vendor,
  dataset: entry.dataset,
  symbol,
  kind: "bar",
  timeframe: entry.decoding.timeframe,
  price: entry.price,
  session: entry.session,
  currency: entry.currency,
  adjustment: entry.adjustment
})

/** The entry that a series of this vendor belongs to. */
export const entryOf = (entries: ReadonlyArray<FileEntry>, series: SeriesKey): FileEntry | null =>
  entries.find(
    (entry) =>
      series.kind === "bar" &&
      entry.decoding.timeframe === series.timeframe &&
      entry.dataset === series.dataset &&
      entry.price === series.price &&
      entry.session === series.session &&
      entry.currency === series.currency &&
      entry.adjustment === series.adjustment
  ) ?? null
