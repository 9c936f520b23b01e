import { Schema } from "effect"
import { EpochMillis } from "../TimeRange.ts"
import { optional, required, StorableText } from "./Column.ts"
import type { RecordShape } from "./RecordShape.ts"

/** What a model says of an instrument at an instant: one value a name. `score` is the model's confidence, in its own scale. */
export const Signal = Schema.Struct({
  ts: EpochMillis,
  name: StorableText,
  value: Schema.Finite,
  score: Schema.NullOr(Schema.Finite),
  metadata: Schema.NullOr(Schema.Json)
})
export type Signal = typeof Signal.Type

const columns = [
  required("name", "text"),
  required("value", "real"),
  optional("score", "real"),
  optional("metadata", "json")
]

const identity = ({ name }: Signal): string => name

const defectOf = ({ name }: Signal): string | null => (name === "" ? "name is empty" : null)

export const signalShape: RecordShape<Signal> = { columns, identity, defectOf }
