import { Clock, Effect, Result } from "effect"
import * as Timeframe from "../../../domain/Timeframe.ts"
import { Malformed, type SeriesQuery, Unavailable, type VendorErrorReason } from "../../../services/Adapter.ts"
import { beginningOf } from "../../../services/PayloadDraft.ts"
import { decodeContent } from "../../http/decodeContent.ts"
import type { HttpAnswer } from "../../http/HttpAnswer.ts"
import { jsonDocument, resolvePointer } from "../records/JsonRecords.ts"
import type { HttpVendor, SymbolSource } from "./HttpCatalogue.ts"
import { meaningOf } from "./readAnswer.ts"

/** The one spelling of a symbol in a vendor's series; null when it cannot be part of an address. */
export const normaliseSymbol = ({ symbolCase }: Pick<HttpVendor, "symbolCase">, symbol: string): string | null => {
  const trimmed = symbol.trim()
  if (trimmed === "" || trimmed === "." || trimmed === ".." || trimmed.length > 128 || !trimmed.isWellFormed())
    return null
  for (const character of trimmed) if (character < " " || character === "\u007f") return null
  return symbolCase === "upper" ? trimmed.toUpperCase() : symbolCase === "lower" ? trimmed.toLowerCase() : trimmed
}

/** Why a vendor cannot have what a query asks for; null when it can. */
export const unsupported = (vendor: HttpVendor, query: SeriesQuery): string | null => {
  if (query.kind !== "bar") return `no ${query.kind}s; it has bars`
  const offered = Timeframe.all.filter((one) => vendor.limits.timeframes[one] !== undefined)
  if (query.timeframe === null || !offered.includes(query.timeframe)) {
    return `no bars of ${query.timeframe ?? "no timeframe"}; it has ${offered.join(", ")}`
  }
  const parts = ["dataset", "price", "session", "currency", "adjustment"] as const
  const other = parts.find((part) => query[part] !== undefined && query[part] !== vendor[part])
  return other === undefined ? null : `its ${other} is ${vendor[other] ?? "none"}, not ${query[other]}`
}

/** The symbols in the answer of the endpoint that lists them. */
export const listed = Effect.fnUntraced(function* (
  vendor: HttpVendor,
  source: Extract<SymbolSource, { readonly _tag: "Endpoint" }>,
  answer: HttpAnswer,
  scrub: (text: string) => string
): Effect.fn.Return<ReadonlyArray<string>, VendorErrorReason> {
  const meaning = yield* meaningOf(answer, vendor.errors, yield* Clock.currentTimeMillis, scrub)
  if ("empty" in meaning) return []
  if (meaning.refusal !== null) return yield* Effect.fail(meaning.refusal)
  if (answer.fault !== null) return yield* new Unavailable({ message: answer.fault.message })
  const bytes = yield* decodeContent(
    beginningOf(answer.body),
    answer.headers["content-encoding"] ?? null,
    vendor.unpackLimit
  ).pipe(Effect.mapError(({ message }) => new Malformed({ position: null, message })))
  const items = Result.map(jsonDocument(bytes), (document) => resolvePointer(document, source.pointer))
  if (Result.isFailure(items) || !Array.isArray(items.success)) {
    const message = `there is no list of symbols at ${source.pointer === "" ? "the top of the document" : source.pointer}`
    return yield* new Malformed({ position: null, message })
  }
  const names = items.success.flatMap((item: unknown) => {
    const name =
      source.key === null ? item : resolvePointer(item, source.key.startsWith("/") ? source.key : `/${source.key}`)
    const symbol = typeof name === "string" ? normaliseSymbol(vendor, name) : null
    return symbol === null ? [] : [symbol]
  })
  return [...new Set(names)].toSorted()
})
