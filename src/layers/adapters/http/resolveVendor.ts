/** Checks a decoded vendor of `adapter: http` as a whole and fills in what it leaves out. */
import { Result, type Schema } from "effect"
import { parseInstant } from "../../../domain/Instant.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import { type RequestLimit, unlimited, type VendorLimits } from "../../../domain/VendorLimits.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import { unknownCalendar } from "../../calendar/unknownCalendar.ts"
import type { DocumentProblem } from "../../config/issueProblems.ts"
import { defaultPolicy } from "../../http/HttpRequest.ts"
import { resolveDecoding } from "../records/RowDecoding.ts"
import * as Timestamp from "../records/timestamp.ts"
import type { VendorContext } from "../VendorConfig.ts"
import type { ErrorRule, HttpVendor, HttpVendorSpec, SymbolSource } from "./HttpCatalogue.ts"
import type { Paging } from "./HttpParams.ts"
import * as Template from "./template.ts"
import { rangeText } from "./timeText.ts"

type Report = (key: ReadonlyArray<string>, expected: string, found?: string | null, remedy?: string | null) => void

const loopback = /^(localhost|127\.0\.0\.1|\[::1\])$/

const checkAddress = (report: Report, key: ReadonlyArray<string>, text: string, auth: boolean): void => {
  const problem = Template.problemOf(text)
  if (problem !== null) report(key, `a usable template: ${problem}`)
  const origin = /^https?:\/\/[^/?#]*/.exec(text)?.[0]
  const url = origin === undefined ? null : URL.parse(origin)
  if (origin === undefined || url === null || url.host === "") {
    report(key, "an address that begins with https:// or http://")
    return
  }
  if (/[{}]/.test(origin)) report(key, "a host without places to fill")
  if (url.username !== "" || url.password !== "") report(key, "an address without a password", null, "use auth")
  if (auth && url.protocol === "http:" && !loopback.test(url.hostname)) {
    report(key, "https, because credentials are sent", null, "write https://")
  }
}

const pagingOf = (report: Report, spec: HttpVendorSpec): Paging | null => {
  const paging = spec.pagination
  if (paging === undefined) return null
  const maxPages = paging.maxPages ?? 1000
  // Only of a JSON document a member can be named: elsewhere every page would pass for the last.
  const inBody = (key: string, instead: string) => {
    if (spec.format === "json") return
    const format = JSON.stringify(spec.format ?? "csv")
    report(["pagination", key], `format: json, where a pointer into the body is; ${instead}`, `format ${format}`)
  }
  switch (paging.kind) {
    case "page": {
      if (paging.rows === undefined && paging.more === undefined) {
        report(["pagination"], "rows or more, so that the last page can be told", "neither")
      }
      if (paging.more !== undefined) inBody("more", "else rows alone")
      const { first = 1, more = null, parameter = "page", rows = null } = paging
      return { kind: "page", parameter, first, rows, more, maxPages }
    }
    case "cursor": {
      if ((paging.pointer === undefined) === (paging.link !== true)) {
        report(["pagination"], "either pointer or link: true, to say where the cursor is")
      }
      if (paging.pointer !== undefined) inBody("pointer", "else link: true, or kind: time or page")
      return { kind: "cursor", parameter: paging.parameter ?? "cursor", pointer: paging.pointer ?? null, maxPages }
    }
    case "time":
      return { kind: "time", rows: paging.rows, maxPages }
  }
}

const rulesOf = (report: Report, spec: HttpVendorSpec): ReadonlyArray<ErrorRule> =>
  (spec.errors ?? []).flatMap((rule, index) => {
    const at = ["errors", String(index)]
    if (rule.status === undefined && rule.pointer === undefined && rule.matches === undefined) {
      report(at, "at least one of status, pointer and matches", "none of them")
    }
    const matches = Result.try(() => (rule.matches === undefined ? null : new RegExp(rule.matches, "iu")))
    if (Result.isFailure(matches)) {
      report([...at, "matches"], "a regular expression", JSON.stringify(rule.matches))
      return []
    }
    const { status } = rule
    return [
      {
        statuses: status === undefined ? null : typeof status === "number" ? [status] : status,
        pointer: rule.pointer ?? null,
        matches: matches.success,
        means: rule.means,
        retryAfter: rule.retryAfter ?? null
      }
    ]
  })

const limitsOf = (report: Report, spec: HttpVendorSpec): VendorLimits => {
  const timeframes: Partial<Record<Timeframe.Timeframe, RequestLimit>> = {}
  for (const timeframe of Timeframe.all) {
    const limit = spec.timeframes[timeframe]
    if (limit === undefined) continue
    timeframes[timeframe] = {
      maxSpan: limit.maxSpan ?? null,
      maxRows: limit.maxRows ?? null,
      maxAge: limit.maxAge ?? null
    }
  }
  if (Object.keys(timeframes).length === 0) report(["timeframes"], "at least one timeframe, such as 1d: {}", "none")
  const { earliest, ...own } = spec.limits ?? {}
  const from = earliest === undefined ? null : Result.getOrElse(parseInstant(earliest), () => Number.NaN)
  if (Number.isNaN(from)) report(["limits", "earliest"], "a date, such as 2003-09-10", JSON.stringify(earliest))
  return {
    ...unlimited,
    ...own,
    calendar: spec.calendar ?? null,
    finalityDelay: spec.finalityDelay ?? unlimited.finalityDelay,
    recheckAfter: spec.recheckAfter ?? null,
    timeframes,
    earliest: from,
    concurrency: spec.quota?.concurrency ?? unlimited.concurrency,
    windows: spec.quota?.windows ?? [],
    maxInFlight: spec.quota?.maxInFlight ?? null,
    adjustments: [spec.adjustment ?? "raw"]
  }
}

const symbolsOf = (report: Report, spec: HttpVendorSpec): SymbolSource => {
  const { symbols } = spec
  if (symbols === undefined) return { _tag: "Unknown" }
  if (!("url" in symbols)) return { _tag: "Listed", symbols }
  checkAddress(report, ["symbols", "url"], symbols.url, spec.auth !== undefined)
  return { _tag: "Endpoint", url: symbols.url, pointer: symbols.pointer ?? "", key: symbols.key ?? null }
}

const textsOf = (texts: HttpVendorSpec["query"]): Record<string, string> =>
  Object.fromEntries(Object.entries(texts ?? {}).map(([name, value]) => [name, String(value)]))

const checkDecoding = (report: Report, spec: HttpVendorSpec): void => {
  const zone = spec.zone ?? "UTC"
  if (zone !== "UTC" && ZoneClock.make(zone) === null) {
    report(["zone"], "an IANA zone, such as America/New_York or UTC", JSON.stringify(zone))
  }
  const timestamp = spec.timestamp ?? "iso"
  const reader = Timestamp.make(timestamp, null)
  const intraday = Timeframe.all.find((one) => spec.timeframes[one] !== undefined && Timeframe.isIntraday(one))
  if (Result.isFailure(reader)) {
    const names = Timestamp.namedFormats.join(", ")
    report(["timestamp"], `${names} or a pattern: ${reader.failure}`, JSON.stringify(timestamp))
  } else if (intraday !== undefined && !Timestamp.hasTimeOfDay(timestamp)) {
    report(["timestamp"], `a format with a time of day, since there are bars of ${intraday}`, JSON.stringify(timestamp))
  }
  if (spec.shape === "columns" && spec.format !== "json") {
    report(["shape"], "format: json, where rows come in columns", JSON.stringify(spec.format ?? "csv"))
  }
}

const checkAuth = (report: Report, { auth, query }: HttpVendorSpec): void => {
  if (auth === undefined) return
  if (auth.kind === "basic" && auth.user === undefined)
    report(["auth", "user"], "the user, of whom the secret is the password", "nothing", "add it")
  if (auth.kind === "basic" && auth.user?.includes(":") === true) report(["auth", "user"], "a user without a colon")
  if ((auth.kind === "header" || auth.kind === "query") && auth.name === undefined) {
    report(["auth", "name"], `the name of the ${auth.kind === "header" ? "header" : "parameter"}`, "nothing", "add it")
  }
  if (auth.kind === "query" && auth.name !== undefined && Object.hasOwn(query ?? {}, auth.name)) {
    report(["query", auth.name], "no value of its own: it is the credential", null, "take it out")
  }
}

/** Every text of the request that has places to fill. */
const templatesOf = (spec: HttpVendorSpec): ReadonlyArray<readonly [ReadonlyArray<string>, string]> => [
  ...Object.entries(textsOf(spec.query)).map(([name, text]) => [["query", name], text] as const),
  ...Object.entries(textsOf(spec.headers)).map(([name, text]) => [["headers", name], text] as const),
  ...(spec.body === undefined ? [] : [[["body"], stringsIn(spec.body).join(" ")] as const])
]

const stringsIn = (value: Schema.Json): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(stringsIn)
      : []

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const checkTemplates = (report: Report, spec: HttpVendorSpec): void => {
  const others = templatesOf(spec)
  for (const [key, text] of others) {
    // A body is JSON and full of braces of its own; in its strings only a known place is one.
    const problem = key[0] === "body" ? null : Template.problemOf(text)
    if (problem !== null) report(key, `a usable template: ${problem}`)
  }
  for (const name of [
    ...Object.keys(spec.headers ?? {}),
    ...(spec.auth?.kind === "header" ? [spec.auth.name ?? ""] : [])
  ]) {
    if (name !== "" && !headerName.test(name)) report(["headers", name], "a name that a header can have")
  }
  const all = [spec.url, ...others.map(([, text]) => text)]
  const used = (name: Template.PlaceName) => all.some((text) => Template.uses(text, name))
  const listed = Array.isArray(spec.symbols) ? spec.symbols.length : 0
  if (!used("symbol") && listed !== 1) report(["url"], "{symbol} in the address, the query or the body", "none")
  if (spec.body !== undefined && spec.method !== "POST") report(["body"], "method: POST, where there is a body")
  if (spec.pagination?.kind === "time" && !used("start")) {
    report(["pagination"], "{start} in the request: the next page begins behind the last row", "none")
  }
}

/** `payloadLimit` (bytes) bounds what a body may unpack to, too. */
export const resolveVendor = (
  name: string,
  spec: HttpVendorSpec,
  { calendars, payloadLimit }: Pick<VendorContext, "calendars" | "payloadLimit">
): Result.Result<HttpVendor, ReadonlyArray<DocumentProblem>> => {
  const problems: Array<DocumentProblem> = []
  const report: Report = (key, expected, found = null, remedy = null) => {
    problems.push({ path: ["vendors", name, ...key], expected, found, remedy })
  }
  checkAddress(report, ["url"], spec.url, spec.auth !== undefined)
  if (spec.ping !== undefined) checkAddress(report, ["ping", "url"], spec.ping.url, spec.auth !== undefined)
  const calendar = unknownCalendar(["vendors", name, "calendar"], spec.calendar, calendars)
  if (calendar !== null) problems.push(calendar)
  checkTemplates(report, spec)
  checkAuth(report, spec)
  checkDecoding(report, spec)
  const time = { format: "iso", zone: spec.zone ?? "UTC", end: "exclusive", ...spec.time } as const
  const speller = rangeText(time)
  if (Result.isFailure(speller))
    report(["time", "format"], `a format of time: ${speller.failure}`, JSON.stringify(time.format))
  const paging = pagingOf(report, spec)
  const errors = rulesOf(report, spec)
  const limits = limitsOf(report, spec)
  const symbols = symbolsOf(report, spec)
  if (problems.length > 0 || Result.isFailure(speller)) return Result.fail(problems)
  return Result.succeed({
    adapter: "http",
    name,
    description: spec.description ?? `bars from ${new URL(/^https?:\/\/[^/?#]*/.exec(spec.url)?.[0] ?? spec.url).host}`,
    account: spec.account ?? name,
    url: spec.url,
    method: spec.method ?? "GET",
    query: textsOf(spec.query),
    headers: textsOf(spec.headers),
    body: spec.body ?? null,
    auth: spec.auth ?? null,
    time,
    rangeText: speller.success,
    paging,
    errors,
    words: Object.fromEntries(
      Timeframe.all.flatMap((one) => {
        const word = spec.timeframes[one]?.as
        return word === undefined ? [] : [[one, word]]
      })
    ),
    decodingFor: (timeframe) => resolveDecoding(spec, timeframe),
    symbols,
    symbolCase: spec.symbolCase ?? "upper",
    pingUrl: spec.ping?.url ?? null,
    dataset: spec.dataset ?? null,
    price: spec.price ?? "trade",
    session: spec.session ?? "all",
    currency: spec.currency ?? null,
    adjustment: spec.adjustment ?? "raw",
    requestPrice: spec.requestPrice ?? 0,
    limits,
    policy: { ...defaultPolicy, ...spec.transport },
    unpackLimit: payloadLimit
  })
}
