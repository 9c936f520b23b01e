import { Result } from "effect"
import type { BlockSpec } from "./BlockReader.ts"
import { changedByte } from "./blockSums.ts"
import type { RowCodec } from "./RowCodec.ts"

export interface Damage {
  /** From 0 in the block; null where the row cannot be told. */
  readonly row: number | null
  /** From 0 in the block; null where it is not exactly one byte. */
  readonly byte: number | null
  readonly message: string
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`

const lineFeed = 10

/** The row of a text block that holds a byte. */
const lineOf = (block: Uint8Array, offset: number): number => {
  let line = 0
  for (let at = block.indexOf(lineFeed); at !== -1 && at < offset; at = block.indexOf(lineFeed, at + 1)) line++
  return line
}

/** Of nanoseconds JSON knows nothing. */
const told = (row: unknown): string =>
  JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))

/** The first row that differs between a block as it is and as it was. */
const changedRow = <Row>(codec: RowCodec<Row>, is: Uint8Array, was: Uint8Array): number | null => {
  const before = codec.decode(was)
  const now = codec.decode(is)
  if (Result.isFailure(before)) return null
  if (Result.isFailure(now)) return now.failure.row
  const index = before.success.findIndex((row, at) => told(row) !== told(now.success[at]))
  return index === -1 ? null : index
}

/** Which byte of a block was changed and in which row that is, as well as it can be told; null for a block that is whole. */
export const damageOf = <Row>(
  codec: RowCodec<Row>,
  block: Uint8Array,
  spec: BlockSpec,
  from: { readonly row: number; readonly byte: number }
): Damage => {
  const changed = changedByte(block, spec)
  const part =
    spec.rows === 0
      ? "what stands before or after the rows"
      : `${codec.rowName(from.row)} to ${codec.rowName(from.row + spec.rows - 1)}`
  if (changed === null) return { row: null, byte: null, message: `${part}: not as they were written` }
  const { offset, was } = changed
  const mended = Uint8Array.from(block)
  mended[offset] = was
  // A byte of text tells its line; one of a record batch is found by what it did to the rows.
  const row = spec.rows === 0 ? null : codec.isText ? lineOf(mended, offset) : changedRow(codec, block, mended)
  const place = row === null ? part : codec.rowName(from.row + row)
  const message = `${place}: byte ${from.byte + offset} of the file is ${hex(block[offset] ?? 0)} and was ${hex(was)}`
  return { row, byte: offset, message }
}
