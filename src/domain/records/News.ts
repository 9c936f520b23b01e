import { Schema } from "effect"
import { EpochMillis } from "../TimeRange.ts"
import { optional, required, StorableText } from "./Column.ts"
import type { RecordShape } from "./RecordShape.ts"

/**
 * A headline. `ts` is when it was published. `id` is the vendor's; without one an item is known by its title and URL, so that the same
 * item written twice is one row. News about no instrument in particular belong to the series of the symbol `*`.
 */
export const News = Schema.Struct({
  ts: EpochMillis,
  id: Schema.NullOr(StorableText),
  title: StorableText,
  url: Schema.NullOr(StorableText),
  /** From -1 (bad) to 1 (good). */
  sentiment: Schema.NullOr(Schema.Finite)
})
export type News = typeof News.Type

const columns = [
  optional("id", "text"),
  required("title", "text"),
  optional("url", "text"),
  optional("sentiment", "real")
]

const identity = ({ id, title, url }: News): string => (id === null ? `|${JSON.stringify([title, url])}` : id)

const defectOf = ({ id, sentiment, title }: News): string | null => {
  if (title === "") return "title is empty"
  // Would be taken for the absence of an id.
  if (id?.startsWith("|") === true) return `id begins with |: ${id}`
  return sentiment !== null && (sentiment < -1 || sentiment > 1) ? `sentiment is not from -1 to 1: ${sentiment}` : null
}

export const newsShape: RecordShape<News> = { columns, identity, defectOf }
