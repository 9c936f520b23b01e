import { Result, type Schema } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import { isIntraday, type Timeframe } from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { VendorRequest } from "../../../services/Adapter.ts"
import { headerText } from "./credentials.ts"
import type { HttpVendor } from "./HttpCatalogue.ts"
import { encodeParams, type HttpParams } from "./HttpParams.ts"
import { fill, fillUrl, type Places, percent } from "./template.ts"
import { isNumeric } from "./timeText.ts"

/** A body with its places filled: a string that is one place, and means a number, becomes that number. */
const fillBody = (body: Schema.Json, places: Places, numeric: boolean): Schema.Json => {
  if (typeof body === "string") {
    const text = fill(body, places)
    const isNumber = body === "{limit}" || body === "{page}" || (numeric && (body === "{start}" || body === "{end}"))
    return isNumber && text !== "" ? Number(text) : text
  }
  if (typeof body !== "object" || body === null) return body
  if (isList(body)) return body.map((item) => fillBody(item, places, numeric))
  return Object.fromEntries(Object.entries(body).map(([name, item]) => [name, fillBody(item, places, numeric)]))
}

const isList = (value: Schema.Json): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

/** The query that a configuration adds, in its order, each name once. */
const withQuery = (url: URL, query: HttpVendor["query"], places: Places): URL => {
  const added = Object.entries(query).map(([name, text]) => `${percent(name)}=${percent(fill(text, places))}`)
  const search = [url.search.slice(1), ...added].filter((part) => part !== "").join("&")
  return new URL(`${url.origin}${url.pathname}${search === "" ? "" : `?${search}`}`)
}

export interface PartOfRange {
  readonly start: number
  readonly end: number
  readonly page: NonNullable<HttpParams["page"]>
}

/** What is asked for a range: the first page of it, where there are pages. Fails with a sentence. */
export const requestFor = (
  vendor: HttpVendor,
  series: Pick<SeriesKey, "symbol">,
  timeframe: Timeframe,
  whole: TimeRange,
  /** The part that is asked for now, and as which page. */
  from: PartOfRange | null = null
): Result.Result<VendorRequest, string> => {
  const { paging } = vendor
  const part = { start: from?.start ?? whole.start, end: from?.end ?? whole.end }
  const { end, start } = vendor.rangeText(part, isIntraday(timeframe))
  const places: Places = {
    symbol: series.symbol,
    start,
    end,
    timeframe: vendor.words[timeframe] ?? timeframe,
    ...(paging?.kind === "time" || (paging?.kind === "page" && paging.rows !== null)
      ? { limit: String(paging.rows) }
      : {}),
    ...(paging?.kind === "page" ? { page: String(paging.first) } : {})
  }
  const headers = Object.entries(vendor.headers).map(([name, text]) => [name, fill(text, places)] as const)
  const unfit = headers.find(([, value]) => !headerText.test(value))
  if (unfit !== undefined) {
    return Result.fail(`the header ${unfit[0]} cannot hold ${JSON.stringify(series.symbol)}`)
  }
  return Result.map(fillUrl(vendor.url, places), (url): VendorRequest => {
    const params: HttpParams = {
      symbol: series.symbol,
      start: new Date(whole.start).toISOString(),
      end: new Date(whole.end).toISOString(),
      url: withQuery(url, vendor.query, places).href,
      headers: Object.fromEntries(headers),
      decoding: vendor.decodingFor(timeframe),
      paging,
      page: from?.page ?? (paging === null ? null : { index: 0, head: null })
    }
    return {
      kind: "bars",
      method: vendor.method,
      params: encodeParams(params),
      body: vendor.body === null ? null : fillBody(vendor.body, places, isNumeric(vendor.time.format)),
      weight: 1,
      keys: {}
    }
  })
}
