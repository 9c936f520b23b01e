/**
 * A record batch that is larger than a segment, as smaller ones of the same columns: the values are the same bit for bit, and each piece
 * can be read by itself. Text that is kept beside the rows (dictionaries, views) is written in the rows of each piece, so that no piece
 * has to carry all of it.
 */
import {
  type Data,
  DataType,
  Field,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray
} from "apache-arrow"
import { segmentBytes } from "../SegmentCutter.ts"

export interface Slice {
  readonly from: number
  readonly to: number
  /** Null where not even one row fits into a segment. */
  readonly bytes: Uint8Array | null
}

const isSpread = (type: DataType): boolean =>
  DataType.isUtf8View(type) ||
  (DataType.isDictionary(type) &&
    (DataType.isUtf8(type.dictionary) || DataType.isLargeUtf8(type.dictionary) || DataType.isUtf8View(type.dictionary)))

const pieceOf = (batch: RecordBatch, schema: Schema, from: number, to: number): Uint8Array => {
  const children = schema.fields.map((_, index): Data => {
    const vector = batch.getChildAt(index)
    if (vector === null) throw new RangeError("a column is missing")
    const slice = vector.slice(from, to)
    const [data] = (isSpread(vector.type) ? vectorFromArray(slice.toArray(), new Utf8()) : slice).data
    if (data === undefined) throw new RangeError("a column is empty")
    return data
  })
  const data = makeData({ type: new Struct(schema.fields), length: to - from, nullCount: 0, children })
  const writer = new RecordBatchStreamWriter()
  writer.write(new RecordBatch(schema, data))
  return writer.finish().toUint8Array(true)
}

/** From `size`, which is that of the batch unpacked, follows how many rows a piece has; one that is too large is halved. */
export function* sliceBatch(batch: RecordBatch, size: number, mostRows: number): Generator<Slice> {
  const rows = batch.numRows
  const fields = batch.schema.fields.map((field) =>
    isSpread(field.type) ? new Field(field.name, new Utf8(), field.nullable, field.metadata) : field
  )
  const schema = new Schema(fields, batch.schema.metadata)
  let count = Math.min(mostRows, Math.max(1, Math.floor((rows * segmentBytes * 0.8) / size)))
  for (let from = 0; from < rows; ) {
    const to = Math.min(rows, from + count)
    const bytes = pieceOf(batch, schema, from, to)
    if (bytes.length > segmentBytes && to - from > 1) {
      count = Math.max(1, Math.floor((to - from) / 2))
      continue
    }
    yield { from, to, bytes: bytes.length > segmentBytes ? null : bytes }
    from = to
  }
}
