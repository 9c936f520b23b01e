/** A line of a dead-letter file. */
import { Schema } from "effect"
import { ImportKind } from "../../services/Imports.ts"

export const DeadLetter = Schema.Struct({
  /** When it was given up, ISO 8601, UTC. */
  at: Schema.String,
  reason: Schema.String,
  kind: ImportKind,
  /** As `tapestry dump` writes it. */
  row: Schema.Record(Schema.String, Schema.Json)
})
export interface DeadLetter extends Schema.Schema.Type<typeof DeadLetter> {}

export const decodeLetter = Schema.decodeUnknownResult(Schema.fromJsonString(DeadLetter))

/** A letter as its line; `row` is the text of its row. */
export const letterLine = (at: string, reason: string, kind: ImportKind, row: string): string =>
  `{"at":${JSON.stringify(at)},"reason":${JSON.stringify(reason)},"kind":"${kind}","row":${row}}\n`
