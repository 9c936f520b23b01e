/** An archived segment of an import, read again. */
import { Effect, Option, Schema } from "effect"
import { ImportSpec, ImportsError, UnreadableText } from "../../services/Imports.ts"
import { type DecodedSegment, decodeSegment } from "./decodeSegment.ts"

/** Grows when the same bytes would give other rows. */
export const importDecoderVersion = 1

const StoredSpec = Schema.Struct({ ...ImportSpec.fields, line: Schema.Int })
const decodeSpec = Schema.decodeUnknownOption(StoredSpec)

/** `params` are those of its request, `payload` its bytes. */
export const archivedSegment = Effect.fnUntraced(function* (
  params: unknown,
  payload: Uint8Array
): Effect.fn.Return<{ readonly spec: ImportSpec; readonly decoded: DecodedSegment }, ImportsError> {
  const spec = decodeSpec(params)
  if (Option.isNone(spec)) {
    return yield* new ImportsError({
      reason: new UnreadableText({ line: null, message: "its request is not that of an import" })
    })
  }
  return { spec: spec.value, decoded: yield* decodeSegment(spec.value, payload, spec.value.line) }
})
