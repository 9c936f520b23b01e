/**
 * Rows of a payload, one after the other, as bounds of fields in bytes, so that nothing is made into a string that is only
 * wanted as a number. `position` is the row's place as Lineage counts it; `problem` is set when the row itself is broken.
 */
export interface Records {
  readonly bytes: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly fields: number
  readonly position: number
  readonly problem: string | null
  /** The rows behind this one cannot be told apart any more: no policy may skip it. */
  readonly fatal: boolean
  readonly next: () => boolean
  /** A field as text, for messages and null tokens. */
  readonly text: (field: number) => string
  /** The row as text, for reject files. */
  readonly excerpt: () => string
}

/** The bar's fields in the order in which a reader keeps their column numbers. */
export const barFields = ["ts", "open", "high", "low", "close", "volume", "vwap", "count"] as const
export type BarField = (typeof barFields)[number]

/** The columns that the fields come from; -1 where a field is not read. */
export type ColumnIndex = Readonly<Record<BarField, number>>
