import type { DataType, LifecycleEvent, RowEvent } from "../../../../domain/streams/StreamEvent.ts"

/** A message of a row, written when it is known to be sent; `snapshot`: how things stand, for who joins late. */
export type RowText = (dataType: DataType | null, snapshot: boolean) => string

/** What the rows of a feed are as JSON. */
export interface Content {
  /** The messages that these rows make, in their order. */
  readonly rows: (event: RowEvent) => ReadonlyArray<RowText>
  /** What the word makes of the rows; null: it leaves them as they are. */
  readonly word: (stream: number, event: LifecycleEvent) => RowText | null
  /** How things stand; null: there is nothing yet. */
  readonly latest: () => RowText | null
}

/** How fresh the rows are by the vendor's own word; null where it has not said so. */
export const freshness = (dataType: DataType | null): string =>
  `"delayed":${dataType === null ? null : dataType === "delayed" || dataType === "delayed-frozen"},"data_type":${dataType === null ? null : `"${dataType}"`},"simulated":${dataType === "simulated"}`
