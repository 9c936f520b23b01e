import { Option, Schema } from "effect"
import type { Decoding } from "../../../services/Adapter.ts"
import { RowDecoding } from "../records/RowDecoding.ts"

/** How an answer is cut into pages. `maxPages` bounds one answer. */
export const Paging = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("page"),
    parameter: Schema.String,
    first: Schema.Int,
    rows: Schema.NullOr(Schema.Int),
    more: Schema.NullOr(Schema.String),
    maxPages: Schema.Int
  }),
  Schema.Struct({
    kind: Schema.Literal("cursor"),
    parameter: Schema.String,
    /** Null: in the header `Link`. */
    pointer: Schema.NullOr(Schema.String),
    maxPages: Schema.Int
  }),
  Schema.Struct({ kind: Schema.Literal("time"), rows: Schema.Int, maxPages: Schema.Int })
])
export type Paging = typeof Paging.Type

/**
 * The parameters of a request: what is asked, and all that reading its answer depends on, so that the archived bytes mean the same
 * after the configuration has changed. Credentials are not in it.
 */
export const HttpParams = Schema.Struct({
  symbol: Schema.String,
  /** The range of the whole answer, of which this may be a page. */
  start: Schema.String,
  end: Schema.String,
  url: Schema.String,
  headers: Schema.Record(Schema.String, Schema.String),
  decoding: RowDecoding,
  paging: Schema.NullOr(Paging),
  /**
   * Which page this is, from 0; null where answers have no pages. `head` is the stamp of the first row of all pages so far.
   * `before`: it asks whether there is anything in front of that, or comes after the one that did. `short`: the page in front of it
   * was not full, and did not reach the end of the range.
   */
  page: Schema.NullOr(
    Schema.Struct({
      index: Schema.Int,
      head: Schema.NullOr(Schema.Finite),
      before: Schema.optionalKey(Schema.Literals(["asked", "known"])),
      short: Schema.optionalKey(Schema.Literal(true))
    })
  )
})
export interface HttpParams extends Schema.Schema.Type<typeof HttpParams> {}

export const encodeParams = Schema.encodeSync(Schema.toCodecJson(HttpParams))
const decodeParams = Schema.decodeUnknownOption(Schema.toCodecJson(HttpParams))

/** The parameters of a request of this adapter; none when it is not one. */
export const paramsOf = (request: Decoding["request"]): Option.Option<HttpParams> =>
  request.kind === "bars" ? decodeParams(request.params) : Option.none()
