import { Effect } from "effect"
import { Json } from "../flags/GlobalFlags.ts"
import { type Column, render } from "../format/Table.ts"
import { Output } from "./Output.ts"
import { oneLine, styleOf } from "./Style.ts"

/** A list as a table, or as the document `{ [name]: [...] }`. `none` is what is said of an empty one. */
export const printList = Effect.fnUntraced(function* <A>(list: {
  readonly name: string
  readonly items: ReadonlyArray<A>
  readonly columns: ReadonlyArray<Column>
  readonly row: (item: A) => ReadonlyArray<string>
  readonly document: (item: A) => object
  readonly none: string
}) {
  const { line, lines, terminal } = yield* Output
  if (yield* Json) return yield* line(JSON.stringify({ [list.name]: list.items.map(list.document) }))
  if (list.items.length === 0) return yield* line(list.none)
  const [header = "", ...rows] = render(
    list.columns,
    list.items.map((item) => list.row(item).map(oneLine))
  )
  yield* lines([styleOf(terminal).bold(header), ...rows])
})

/** Names and values, one a line, the values under each other. */
export const fieldLines = (
  fields: ReadonlyArray<readonly [string, string]>,
  dim: (text: string) => string
): ReadonlyArray<string> => {
  const width = Math.max(...fields.map(([name]) => name.length)) + 2
  return fields.map(([name, value]) => dim(name.padEnd(width)) + oneLine(value))
}
