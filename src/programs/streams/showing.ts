/** How the commands of live streams show them: in place on a terminal, line by line for whoever reads a pipe. */
import { Effect } from "effect"
import type { StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { Output } from "../terminal/Output.ts"
import { type Style, styleOf } from "../terminal/Style.ts"
import { drawn } from "./drawn.ts"
import { documentsOf } from "./streamDocuments.ts"
import { type Watched, watching } from "./watching.ts"

/** Whether what comes is for a person at a terminal. */
export const isForPerson = Effect.gen(function* () {
  const { terminal } = yield* Output
  return !(yield* Json) && terminal.isTerminal
})

/** One JSON object a line, of rows and of words. */
export const lineByLine = Effect.fnUntraced(function* (watched: Watched) {
  const { lines } = yield* Output
  yield* watching(watched, (keys) =>
    Effect.succeed((items) =>
      lines(items.flatMap((item) => documentsOf(item, keys).map((document) => JSON.stringify(document))))
    )
  )
})

/** What is shown of streams as they are now, on a terminal of so many columns and lines. */
interface StyledBoard {
  readonly take: (item: StreamItem) => void
  readonly lines: (style: Style, columns: number, rows: number) => ReadonlyArray<string>
}

/** On a board that is drawn in place; line by line where nobody looks at a terminal. */
export const onBoard = Effect.fnUntraced(function* (
  watched: Watched,
  boardOf: (keys: ReadonlyArray<StreamKey>) => StyledBoard
) {
  if (!(yield* isForPerson)) return yield* lineByLine(watched)
  const { terminal } = yield* Output
  const style = styleOf(terminal)
  yield* drawn(watched, (keys) => {
    const board = boardOf(keys)
    return { take: board.take, lines: () => board.lines(style, terminal.columns, Math.max(1, terminal.rows - 1)) }
  })
})
