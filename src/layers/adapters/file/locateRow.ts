import { Effect, Result } from "effect"
import type { Excerpt } from "../../../services/Adapter.ts"
import { DecodeFailure } from "../records/decodeRows.ts"
import { rowAt } from "../records/rowAt.ts"
import { labelOf, unpackFor } from "./decodeFile.ts"
import type { FileParams } from "./FileRequest.ts"

/** The row of a payload that a position names: the line, or the item of a JSON array. */
export const locateRow = Effect.fnUntraced(function* (payload: Uint8Array, params: FileParams, position: number) {
  const { bytes, member } = yield* unpackFor(payload, params)
  const label = labelOf(params, member, position)
  const found = rowAt(bytes, params.decoding, position)
  if (Result.isFailure(found)) {
    return yield* new DecodeFailure({ position: null, message: `${params.path}: ${found.failure}` })
  }
  if (found.success === null) return yield* new DecodeFailure({ position, message: `there is no ${label}` })
  const { pointer, text } = found.success
  const excerpt: Excerpt = pointer === null ? { label, text } : { label, text, pointer }
  return excerpt
})
