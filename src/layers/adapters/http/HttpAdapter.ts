/**
 * A vendor asked over HTTP, as its configuration describes it.
 *
 * What is archived is a body as it was on the wire; what its rows mean is in the request. One planned range is one exchange, or
 * several where the vendor answers in pages (nextPage.ts). Nothing is retried, paced or cached in here.
 */
import { Clock, Duration, Effect, FileSystem, Path, Result, type Scope } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import {
  type Adapter,
  type Decoding,
  type FetchCapability,
  NotFound,
  Rejected,
  Revalidating,
  type SeriesQuery,
  Unavailable,
  Unsupported,
  VendorError,
  type VendorErrorReason,
  type VendorRequest
} from "../../../services/Adapter.ts"
import { acceptedEncodings } from "../../http/decodeContent.ts"
import { exchange } from "../../http/exchange.ts"
import * as HttpPool from "../../http/HttpPool.ts"
import type { HttpRequest } from "../../http/HttpRequest.ts"
import { secretsOf } from "../../http/secrets.ts"
import { reasonOfFailure, vendorAnswer } from "../../http/vendorAnswer.ts"
import { writeRejects } from "../records/writeRejects.ts"
import * as Credentials from "./credentials.ts"
import { type DecodedPage, decodeAnswer, decodeLargeAnswer, locateLargeRow, locateRow } from "./decodeAnswer.ts"
import type { HttpVendor } from "./HttpCatalogue.ts"
import { type HttpParams, paramsOf } from "./HttpParams.ts"
import type { Asking } from "./nextPage.ts"
import { meaningOf } from "./readAnswer.ts"
import { type PartOfRange, requestFor } from "./requestFor.ts"
import * as Symbols from "./symbols.ts"
import { normaliseSymbol } from "./symbols.ts"
import { percent } from "./template.ts"

export type { HttpVendor } from "./HttpCatalogue.ts"

/** Raised when the same bytes and the same mapping may give other bars than before. */
export const decoderVersion = 1

const utf8 = new TextEncoder()

const onlyPart = new Rejected({
  message:
    "HTTP 206: the vendor says that this is only a part of the answer; say how to ask for the rest with pagination"
})

export interface HttpAdapterOptions {
  /** Rows that are skipped are written under `rejects/<vendor>` in it. */
  readonly dataDir: string
}

/** The adapter of a checked vendor. Its connections, and its secret, live as long as the scope. */
export const make = Effect.fnUntraced(function* (
  vendor: HttpVendor,
  options: HttpAdapterOptions
): Effect.fn.Return<Adapter, never, Scope.Scope | FileSystem.FileSystem | Path.Path> {
  const { limits, name } = vendor
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const pool = yield* HttpPool.make
  const credentials = yield* Credentials.read(vendor.auth)
  const because = (reason: VendorErrorReason) => new VendorError({ vendor: name, reason })

  const proven = Effect.suspend(() =>
    "problem" in credentials
      ? Effect.fail(because(new Rejected({ message: credentials.problem })))
      : Effect.succeed(credentials)
  )

  const series = Effect.fn("HttpAdapter.series")(function* (query: SeriesQuery) {
    const symbol = normaliseSymbol(vendor, query.symbol)
    if (symbol === null) {
      return yield* because(new NotFound({ message: `${JSON.stringify(query.symbol)} cannot be a symbol` }))
    }
    const problem = Symbols.unsupported(vendor, query)
    if (problem !== null) return yield* because(new Unsupported({ message: problem }))
    const { symbols } = vendor
    if (symbols._tag === "Listed" && !symbols.symbols.some((one) => normaliseSymbol(vendor, one) === symbol)) {
      return yield* because(
        new NotFound({ message: `has no ${symbol}; it has ${symbols.symbols.slice(0, 5).join(", ")}` })
      )
    }
    const key: SeriesKey = {
      vendor: name,
      dataset: vendor.dataset,
      symbol,
      kind: "bar",
      timeframe: query.timeframe,
      price: vendor.price,
      session: vendor.session,
      currency: vendor.currency,
      adjustment: vendor.adjustment
    }
    return key
  })

  const asked = (
    key: SeriesKey,
    whole: TimeRange,
    from: PartOfRange | null
  ): Result.Result<VendorRequest, VendorErrorReason> => {
    const { symbol, timeframe } = key
    if (timeframe === null || limits.timeframes[timeframe] === undefined) {
      const offered = Timeframe.all.filter((one) => limits.timeframes[one] !== undefined).join(", ")
      return Result.fail(new Unsupported({ message: `no bars of ${timeframe ?? "that kind"}; it has ${offered}` }))
    }
    if (normaliseSymbol(vendor, symbol) !== symbol) {
      return Result.fail(new NotFound({ message: `${JSON.stringify(symbol)} is no symbol of this vendor` }))
    }
    return Result.mapError(requestFor(vendor, key, timeframe, whole, from), (message) => new NotFound({ message }))
  }

  const request: FetchCapability["request"] = Effect.fn("HttpAdapter.request")(function* (key, range) {
    yield* proven
    return yield* Effect.mapError(Effect.fromResult(asked(key, range, null)), because)
  })

  /** A page of a part of the range, by the configuration of today. */
  const asking =
    (key: SeriesKey) =>
    (params: HttpParams): Asking => ({
      credential: vendor.auth?.kind === "query" ? Credentials.parameterOf(vendor.auth) : null,
      from: (start, page, before) => {
        const whole = { start: Date.parse(params.start), end: Date.parse(params.end) }
        return Result.getOrElse(asked(key, whole, { start, end: before ?? whole.end, page }), () => null)
      }
    })

  const send = Effect.fnUntraced(function* (url: string, body: Uint8Array | null, headers: HttpRequest["headers"]) {
    const shown = yield* proven
    const made: HttpRequest = {
      method: body === null ? "GET" : "POST",
      url: new URL(url),
      headers: { "accept-encoding": acceptedEncodings, "user-agent": "tapestry", ...headers },
      body,
      credentials: shown
    }
    const answer = yield* exchange(pool, made, vendor.policy).pipe(
      Effect.mapError((failure) => because(reasonOfFailure(failure)))
    )
    return { answer, scrub: secretsOf(shown).scrub }
  })

  const fetch: FetchCapability["fetch"] = Effect.fn("HttpAdapter.fetch")(function* (wanted) {
    const params = paramsOf(wanted)
    if (params._tag === "None") {
      return yield* because(new Rejected({ message: "the request is not one of a vendor over HTTP" }))
    }
    const { headers, url } = params.value
    const body = wanted.method === "POST" ? utf8.encode(wanted.body === null ? "" : JSON.stringify(wanted.body)) : null
    const known = yield* Revalidating
    const { answer, scrub } = yield* send(url, body, {
      ...(body === null ? {} : { "content-type": "application/json" }),
      ...headers,
      ...(known?.etag ? { "if-none-match": known.etag } : {}),
      ...(known?.lastModified ? { "if-modified-since": known.lastModified } : {})
    })
    if (answer.status === 304 && answer.fault === null) return { ...vendorAnswer(answer, null), notModified: true }
    const meaning = yield* meaningOf(answer, vendor.errors, yield* Clock.currentTimeMillis, scrub)
    if ("empty" in meaning) return vendorAnswer(answer, null, { empty: meaning.empty })
    const { refusal } = meaning
    if (params.value.page?.short === true && (refusal?._tag === "NotFound" || refusal?._tag === "Rejected")) {
      return vendorAnswer(answer, null, { empty: `no page behind the last one: ${refusal.message}` })
    }
    const partOfIt = refusal === null && answer.status === 206 && params.value.paging === null
    return vendorAnswer(answer, partOfIt ? onlyPart : refusal)
  })

  const noting = Effect.fnUntraced(function* (decoded: DecodedPage, { request }: Decoding) {
    const params = paramsOf(request)
    const { rejected } = decoded
    if (rejected.length === 0 || params._tag === "None") return decoded
    const { decoding, end, start, symbol } = params.value
    const directory = path.join(options.dataDir, "rejects", name)
    const file = `${percent(symbol)}-${decoding.timeframe}`
    const from = [JSON.stringify(params.value), JSON.stringify(rejected)]
    const target = yield* writeRejects(fs, path, directory, { file, start, end, from }, rejected).pipe(
      Effect.mapError((error) =>
        because(new Unavailable({ message: `skipped rows cannot be written to ${directory}: ${error.message}` }))
      )
    )
    yield* Effect.logWarning(`${name}: ${rejected.length} rows of an answer for ${symbol} skipped; see ${target}`)
    return decoded
  })

  const decode: FetchCapability["decode"] = Effect.fn("HttpAdapter.decode")((payload, decoding) =>
    decodeAnswer(payload, decoding, vendor.unpackLimit, asking(decoding.series)).pipe(
      Effect.mapError(because),
      Effect.flatMap((decoded) => noting(decoded, decoding))
    )
  )

  const symbols = Effect.gen(function* () {
    const { symbols: source } = vendor
    if (source._tag === "Unknown") return []
    if (source._tag === "Listed") return source.symbols.map((one) => normaliseSymbol(vendor, one) ?? one)
    const { answer, scrub } = yield* send(source.url, null, vendor.headers)
    return yield* Symbols.listed(vendor, source, answer, scrub).pipe(Effect.mapError(because))
  }).pipe(Effect.withSpan("HttpAdapter.symbols"))

  const ping = Effect.gen(function* () {
    const url = vendor.pingUrl ?? new URL(/^https?:\/\/[^/?#]*/.exec(vendor.url)?.[0] ?? vendor.url).href
    const { answer, scrub } = yield* send(url, null, vendor.headers)
    const meaning = yield* meaningOf(answer, vendor.errors, yield* Clock.currentTimeMillis, scrub)
    const refusal = "refusal" in meaning ? meaning.refusal : null
    // Without an address of its own the host is asked for its root, and any answer shows that it is there.
    const ok = answer.fault === null && (refusal === null || (vendor.pingUrl === null && answer.status < 500))
    const elapsed = Duration.millis(answer.elapsedMillis)
    return {
      ok,
      elapsed,
      detail: `GET ${answer.url}: HTTP ${answer.status}${refusal === null ? "" : ` (${refusal._tag})`}`
    }
  }).pipe(Effect.withSpan("HttpAdapter.ping"))

  return {
    name,
    type: "http",
    description: vendor.description,
    account: vendor.account,
    limits,
    fetch: {
      series,
      request,
      fetch,
      decode,
      decodeStream: (payload, decoding) =>
        Effect.flatMap(decodeLargeAnswer(payload, decoding, asking(decoding.series), because), (decoded) =>
          noting(decoded, decoding)
        ),
      locate: (payload, position, decoding) =>
        Effect.mapError(locateRow(payload, position, decoding, vendor.unpackLimit), because),
      locateStream: (payload, position, decoding) => locateLargeRow(payload, position, decoding, because),
      cost: () => vendor.requestPrice,
      decoderVersion
    },
    symbols,
    ping
  } satisfies Adapter
})
