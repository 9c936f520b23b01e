import type { Array as Arr } from "effect"
import { isRows, type RowEvent, type StreamItem } from "../../domain/streams/StreamEvent.ts"

/** Rows in one message: the fill of a long gap is no single one. */
const most = 4_000

/** The same items in the same order, each piece with no more rows than go into one message. */
export const inPieces = (items: ReadonlyArray<StreamItem>): Array<Arr.NonEmptyArray<StreamItem>> => {
  const pieces: Array<Arr.NonEmptyArray<StreamItem>> = []
  let rows = 0
  const add = (item: StreamItem, count: number) => {
    const last = pieces.at(-1)
    if (last === undefined || (rows > 0 && rows + count > most)) {
      pieces.push([item])
      rows = count
    } else {
      last.push(item)
      rows += count
    }
  }
  for (const item of items) {
    const { event, stream } = item
    if (!isRows(event) || event.rows.length <= most) {
      add(item, isRows(event) ? event.rows.length : 0)
      continue
    }
    for (let at = 0; at < event.rows.length; at += most) {
      const part = {
        ...event,
        rows: event.rows.slice(at, at + most),
        dropped: at === 0 ? event.dropped : 0
      } as RowEvent
      // What is complete is so when all of it has come.
      add({ stream, event: at + most < event.rows.length ? { ...part, through: null } : part }, part.rows.length)
    }
  }
  return pieces
}
