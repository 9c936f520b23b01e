/** The piece of an imported segment behind a row. */
import { Effect, Option, Schema } from "effect"
import type { Excerpt } from "../../services/Adapter.ts"
import { ImportSpec } from "../../services/Imports.ts"
import { importedLine, nameOf, numberInText } from "./importedLine.ts"

const decode = Schema.decodeUnknownOption(ImportSpec)

/** Of a text its line, of Arrow its row as JSON. `position` counts in the segment, the label in the whole text; both from 1. */
export const importedRow = (payload: Uint8Array, position: number, params: Schema.Json): Effect.Effect<Excerpt> =>
  Effect.gen(function* () {
    const spec = decode(params)
    if (Option.isNone(spec) || spec.value.format !== "arrow") return importedLine(payload, position, params)
    // Arrow's library is loaded for Arrow alone.
    const { arrowRowText } = yield* Effect.promise(() => import("./arrow/arrowRows.ts"))
    return {
      label: `row ${numberInText(position, params)} of ${nameOf(params)}`,
      text: arrowRowText(spec.value, payload, position).slice(0, 2_000)
    }
  })
