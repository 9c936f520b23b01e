/**
 * From one page to the next. Pages ascend: each proves the stamps from its first row to its last, and what lies before the first
 * row of the first page is proven only when the last one has come, since a vendor that begins with the newest would else be
 * believed to have nothing older.
 *
 * Hard case: by time, a full first page with nothing behind it. Either the range has just as many rows, or the vendor gives the newest
 * ones of what it is asked for. So it is asked what there is in front of them, and then once more what is behind them.
 *
 * Hard case: a first page that is not full and does not reach the end of the range. Either the rest has no rows, or the vendor's own
 * cap is smaller than the configuration says. So it is asked what is behind it; what a vendor says of a page that is not there, and the
 * page before once more, then mean that it was the last.
 */
import { Option, Result, type Schema } from "effect"
import * as Timeframe from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import {
  type Decoding,
  Malformed,
  type PageOfAnswer,
  type VendorErrorReason,
  type VendorRequest
} from "../../../services/Adapter.ts"
import type { DecodedRows } from "../records/decodeRows.ts"
import { jsonDocument, resolvePointer } from "../records/JsonRecords.ts"
import { encodeParams, type HttpParams, paramsOf } from "./HttpParams.ts"

/** Asks from `start` on, as far as `before` or the end of the range, by the configuration of today; null when that makes no request. */
type AskFrom = (start: number, page: NonNullable<HttpParams["page"]>, before: number | null) => VendorRequest | null

export interface Asking {
  readonly from: AskFrom
  /** The parameter of an address that holds the credential: taken out of addresses that a vendor writes. */
  readonly credential: string | null
}

/** The stretch in front of all rows so far, where the page is the one that asks for it. */
export const inFront = ({ page, start }: Pick<HttpParams, "page" | "start">): TimeRange | null =>
  page?.before === "asked" && page.head !== null ? { start: Date.parse(start), end: page.head } : null

/** The address behind rel="next" in a `Link` header. */
const linkedNext = (header: string | undefined): string | null => {
  for (const part of (header ?? "").split(/,(?=\s*<)/)) {
    const match = /<([^>]*)>(.*)/s.exec(part)
    if (match?.[1] !== undefined && /;\s*rel\s*=\s*"?[^";]*\bnext\b/i.test(match[2] ?? "")) return match[1]
  }
  return null
}

const malformed = (message: string): Malformed => new Malformed({ position: null, message })

const reconfigured = malformed("the vendor is configured otherwise now")

const withParameter = (url: string, name: string, value: string): string => {
  const next = new URL(url)
  next.searchParams.set(name, value)
  return next.href
}

/** A cursor, or an address: that of the next page as a whole, which must be the vendor's own. */
const urlAfter = (
  url: string,
  parameter: string,
  cursor: string,
  credential: string | null
): Result.Result<string, Malformed> => {
  if (!/^(https?:|\/|\?)/.test(cursor)) return Result.succeed(withParameter(url, parameter, cursor))
  const next = URL.parse(cursor, url)
  if (next === null || next.origin !== new URL(url).origin) {
    return Result.fail(malformed("the next page is at another address than this one; it is not followed"))
  }
  next.username = ""
  next.password = ""
  // Taking one out spells the others anew, which some cursors do not bear.
  if (credential !== null && next.searchParams.has(credential)) next.searchParams.delete(credential)
  return Result.succeed(next.href)
}

interface Read {
  readonly bytes: Uint8Array
  readonly decoding: Decoding
  readonly params: HttpParams
  readonly rows: DecodedRows
  readonly asking: Asking
}

/**
 * Whether a page that is not full is the last: behind one that was full it is, and where no bar can be behind the last one that
 * came; of a page without rows there is nothing to go on from.
 */
const isLast = ({ decoding: { range, series }, params: { page }, rows }: Read): boolean => {
  const last = rows.bars.at(-1)?.ts
  if (page !== null && page.index > 0 && page.short !== true) return true
  return last === undefined || series.timeframe === null || Timeframe.periodEnd(series.timeframe, last) >= range.end
}

/** The request behind this one, null on the last page, or why there is none. */
const nextOf = (
  read: Read,
  page: NonNullable<HttpParams["page"]>,
  until: number
): VendorRequest | VendorErrorReason | null => {
  const { asking, bytes, decoding, params, rows } = read
  const { paging } = params
  if (paging === null) return null
  const { body, kind, method } = decoding.request
  const at = (url: string, asked: Schema.Json = body, as = page): VendorRequest => ({
    kind,
    method,
    params: encodeParams({ ...params, url, page: as }),
    body: asked,
    weight: 1,
    keys: {}
  })
  /** Where there is a body, parameters are in it. */
  const withValue = (name: string, value: string | number, as = page): VendorRequest =>
    isObject(body)
      ? at(params.url, { ...body, [name]: value }, as)
      : at(withParameter(params.url, name, String(value)), body, as)
  const document = (pointer: string) =>
    resolvePointer(
      Result.getOrElse(jsonDocument(bytes), () => undefined),
      pointer
    )
  const full = paging.kind === "cursor" || paging.rows === null || rows.read >= paging.rows
  switch (paging.kind) {
    case "time": {
      if (!full && isLast(read)) return null
      if (until <= decoding.range.start) return malformed("a full page has no row behind the page before it")
      return asking.from(until, full ? page : { ...page, short: true }, null) ?? reconfigured
    }
    case "page": {
      if (paging.more !== null && !document(paging.more)) return null
      if (!full && paging.more === null && isLast(read)) return null
      if (paging.more === null && rows.read === 0) return null
      const next = paging.first + page.index
      return withValue(paging.parameter, next, full || paging.more !== null ? page : { ...page, short: true })
    }
    case "cursor": {
      const cursor = paging.pointer === null ? linkedNext(decoding.metadata?.headers.link) : document(paging.pointer)
      if (cursor === null || cursor === undefined || cursor === "") return null
      if (typeof cursor !== "string" && typeof cursor !== "number") return malformed("the cursor is no text")
      if (isObject(body)) return withValue(paging.parameter, cursor)
      return Result.match(urlAfter(params.url, paging.parameter, String(cursor), asking.credential), {
        onFailure: (reason): VendorRequest | VendorErrorReason => reason,
        onSuccess: (url) => (url === params.url ? malformed("the cursor leads to the page that it is on") : at(url))
      })
    }
  }
}

const isObject = (body: Schema.Json): body is { readonly [name: string]: Schema.Json } =>
  typeof body === "object" && body !== null && !Array.isArray(body)

const newestFirst = malformed(
  "the vendor gives the newest rows of what it is asked for, and pages must begin with the oldest: ask it for ascending order, or bound requests with maxSpan to what one page holds"
)

const isReason = (next: VendorRequest | VendorErrorReason): next is VendorErrorReason => "_tag" in next

/** A page is told by where it is asked for: its number in our own count is not part of that. */
const markOf = (next: VendorRequest): string =>
  JSON.stringify([Option.getOrNull(Option.map(paramsOf(next), ({ url }) => url)), next.body])

/** What a page proves and what follows it; fails when it does not lie behind the page before it. */
export const pageOf = (read: Read): Result.Result<PageOfAnswer | null, Malformed> => {
  const { decoding, params, rows } = read
  if (params.page === null || params.paging === null) return Result.succeed(null)
  const { range } = decoding
  const first = rows.bars[0]?.ts
  const last = rows.bars.at(-1)?.ts
  const { head, index } = params.page
  const ended = params.page.short === true && last === undefined
  if (index > 0 && rows.read > 0 && last === undefined && params.paging.kind !== "time" && !ended) {
    return Result.fail(malformed("a page has only rows of pages before it; ask for them in ascending order"))
  }
  if (rows.descends) {
    return Result.fail(malformed("the rows of a page descend; pages must ascend: ask the vendor for ascending order"))
  }
  const start = Date.parse(params.start)
  if (inFront(params) !== null) {
    if (first !== undefined) return Result.fail(newestFirst)
    const again = read.asking.from(range.start, { index: index + 1, head, before: "known" }, null) ?? reconfigured
    return Result.succeed({
      from: range.start,
      until: range.start,
      next: again,
      mark: null,
      continued: true,
      quiet: { start, end: head ?? start }
    })
  }
  const seen = head ?? first ?? null
  const until = last === undefined ? range.start : last + 1
  const next = ended ? null : nextOf(read, { index: index + 1, head: seen }, until)
  const from = seen === null ? range.start : index === 0 || head === null ? seen : range.start
  const mayHaveBegunAtTheEnd =
    params.paging.kind === "time" && index === 1 && params.page.before === undefined && !ended
  if (next === null && mayHaveBegunAtTheEnd && last === undefined && head !== null && start < head) {
    const front = read.asking.from(start, { index: index + 1, head, before: "asked" }, head) ?? reconfigured
    return Result.succeed({ from, until: range.start, next: front, mark: null, continued: true, quiet: null })
  }
  if (next === null) {
    return Result.succeed({
      from,
      until: range.end,
      next: null,
      mark: null,
      continued: head !== null,
      quiet: seen !== null && start < seen ? { start, end: seen } : null
    })
  }
  const tooMany = !isReason(next) && index + 1 >= params.paging.maxPages
  return Result.succeed({
    from,
    until,
    mark: isReason(next) ? null : markOf(next),
    next: tooMany ? malformed(`there are more than ${params.paging.maxPages} pages; ask for less at once`) : next,
    continued: head !== null,
    quiet: null
  })
}
