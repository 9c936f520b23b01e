/** From archived bytes to bars. Everything it depends on is in the request and in what was archived with the answer. */
import { Effect, Option, Result, type Stream } from "effect"
import { statusOfBytes } from "../../../domain/Response.ts"
import {
  type DecodedBars,
  type Decoding,
  type Excerpt,
  Malformed,
  Rejected,
  type VendorError,
  type VendorErrorReason
} from "../../../services/Adapter.ts"
import { decodeContent, encodingsOf } from "../../http/decodeContent.ts"
import { type DecodedRows, DecodeFailure, decodeRows, type RowContext } from "../records/decodeRows.ts"
import { decodeStream } from "../records/decodeStream.ts"
import { lineInStream } from "../records/lineInStream.ts"
import { rowAt } from "../records/rowAt.ts"
import { type HttpParams, paramsOf } from "./HttpParams.ts"
import { type Asking, inFront, pageOf } from "./nextPage.ts"

export interface DecodedPage extends DecodedBars {
  readonly rejected: DecodedRows["rejected"]
}

const noRows: DecodedRows = { bars: [], positions: [], rejected: [], read: 0, descends: false }

const malformed = ({ message, position }: DecodeFailure): Malformed => new Malformed({ position, message })

const paramsFor = (decoding: Decoding): Effect.Effect<HttpParams, VendorErrorReason> =>
  Option.match(paramsOf(decoding.request), {
    onNone: () => Effect.fail(new Rejected({ message: "the request is not one of a vendor over HTTP" })),
    onSome: Effect.succeed
  })

const contextOf = (params: HttpParams, { range: asked }: Pick<Decoding, "range">): RowContext => {
  const { decoding, symbol } = params
  const range = inFront(params) ?? asked
  const place = decoding.format === "json" ? "item" : "line"
  return {
    decoding,
    range,
    midnight: null,
    period: () => null,
    label: (position) => `${position === null ? "" : `${place} ${position} of `}the answer for ${symbol}`
  }
}

const plain = (payload: Uint8Array, decoding: Decoding, limit: number) =>
  Effect.mapError(
    decodeContent(payload, decoding.metadata?.encoding ?? null, limit),
    ({ message }) => new Malformed({ position: null, message })
  )

/** The answer said in its own way that it has no rows: see readAnswer. */
const saidEmpty = ({ metadata }: Decoding): boolean => metadata?.adapter.empty !== undefined

const finished = (rows: DecodedRows, bytes: Uint8Array, params: HttpParams, decoding: Decoding, asking: Asking) =>
  Result.map(pageOf({ bytes, decoding, params, rows, asking }), (page): DecodedPage => {
    const { bars, positions, rejected } = rows
    const { allowNonPositivePrices } = params.decoding
    return { bars, positions, rejected, allowNonPositivePrices, ...(page === null ? {} : { page }) }
  })

export const decodeAnswer = Effect.fnUntraced(function* (
  payload: Uint8Array,
  decoding: Decoding,
  limit: number,
  asking: (params: HttpParams) => Asking
): Effect.fn.Return<DecodedPage, VendorErrorReason> {
  const params = yield* paramsFor(decoding)
  // No bytes are no rows where the vendor says that there is no content, or in a format that has nothing but rows.
  const { metadata } = decoding
  const empty =
    saidEmpty(decoding) || (payload.length === 0 && metadata !== undefined && statusOfBytes(metadata) === 204)
  const bytes = empty ? payload : yield* plain(payload, decoding, limit)
  const rows = empty ? noRows : yield* decodeRows(bytes, contextOf(params, decoding)).pipe(Effect.mapError(malformed))
  return yield* Effect.fromResult(finished(rows, bytes, params, decoding, asking(params)))
})

/** Fails where a body that may not be held would have to be unpacked. */
const unpacked = ({ metadata }: Decoding): Effect.Effect<void, Malformed> => {
  const encodings = encodingsOf(metadata?.encoding ?? null)
  if (encodings.length === 0) return Effect.void
  const message = `its body is ${encodings.join(", ")} and too large to be unpacked at once; ask for less at once`
  return Effect.fail(new Malformed({ position: null, message }))
}

/** As `decodeAnswer`, of a body that may not be held; `because` makes the vendor's error of a reason. */
export const decodeLargeAnswer = Effect.fnUntraced(function* <E>(
  payload: Stream.Stream<Uint8Array, E>,
  decoding: Decoding,
  asking: (params: HttpParams) => Asking,
  because: (reason: VendorErrorReason) => VendorError
): Effect.fn.Return<DecodedPage, VendorError | E> {
  const params = yield* Effect.mapError(paramsFor(decoding), because)
  yield* Effect.mapError(unpacked(decoding), because)
  const rows = yield* decodeStream(payload, contextOf(params, decoding)).pipe(
    Effect.mapError((error) => (error instanceof DecodeFailure ? because(malformed(error)) : error))
  )
  return yield* Effect.mapError(
    Effect.fromResult(finished(rows, new Uint8Array(0), params, decoding, asking(params))),
    because
  )
})

export const locateRow = Effect.fnUntraced(function* (
  payload: Uint8Array,
  position: number,
  decoding: Decoding,
  limit: number
): Effect.fn.Return<Excerpt, VendorErrorReason> {
  const params = yield* paramsFor(decoding)
  const { label } = contextOf(params, decoding)
  const bytes = yield* plain(payload, decoding, limit)
  const found = rowAt(bytes, params.decoding, position)
  if (Result.isFailure(found)) return yield* new Malformed({ position: null, message: found.failure })
  if (found.success === null) return yield* new Malformed({ position, message: `there is no ${label(position)}` })
  const { pointer, text } = found.success
  return pointer === null ? { label: label(position), text } : { label: label(position), text, pointer }
})

/** As `locateRow`, of a body that may not be held: a line of it. */
export const locateLargeRow = Effect.fnUntraced(function* <E>(
  payload: Stream.Stream<Uint8Array, E>,
  position: number,
  decoding: Decoding,
  because: (reason: VendorErrorReason) => VendorError
): Effect.fn.Return<Excerpt, VendorError | E> {
  const params = yield* Effect.mapError(paramsFor(decoding), because)
  const { label } = contextOf(params, decoding)
  yield* Effect.mapError(unpacked(decoding), because)
  if (params.decoding.format === "json") {
    const message = "it is too large to be read as one JSON document"
    return yield* because(new Malformed({ position, message }))
  }
  const text = yield* lineInStream(payload, position).pipe(
    Effect.mapError((error) => (error instanceof DecodeFailure ? because(malformed(error)) : error))
  )
  if (text === null) return yield* because(new Malformed({ position, message: `there is no ${label(position)}` }))
  return { label: label(position), text }
})
