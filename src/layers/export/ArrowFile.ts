/**
 * An Arrow IPC file, written batch by batch. The library leaves the schema message out of the streaming part of a file; here it is
 * written, as the format has it, so that the file without its first eight bytes reads as a stream, too.
 */
import {
  AsyncByteQueue,
  type Data,
  Message,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  type Schema,
  Struct
} from "apache-arrow"

/** What the writer writes, at hand as soon as it is written. */
class Pieces extends AsyncByteQueue {
  private pieces: Array<Uint8Array> = []
  override write(value: Uint8Array): void {
    this.pieces.push(Uint8Array.from(value))
  }
  take(): Uint8Array {
    const bytes = Buffer.concat(this.pieces)
    this.pieces = []
    return bytes
  }
}

class FileWriter extends RecordBatchFileWriter {
  protected override _writeSchema(schema: Schema): this {
    super._writeSchema(schema)
    return this._writeMessage(Message.from(schema))
  }
}

export class ArrowFile {
  /** What stands before all batches. */
  readonly head: Uint8Array
  private readonly schema: Schema
  private readonly pieces = new Pieces()
  private readonly writer = new FileWriter()

  constructor(schema: Schema) {
    this.schema = schema
    this.writer.reset(this.pieces, schema)
    this.head = this.pieces.take()
  }

  /** `columns` in the order of the schema's fields, each of `length` rows. */
  batch(columns: ReadonlyArray<Data>, length: number): Uint8Array {
    const type = new Struct(this.schema.fields)
    this.writer.write(new RecordBatch(this.schema, makeData({ type, length, nullCount: 0, children: [...columns] })))
    return this.pieces.take()
  }

  /** What stands behind them; nothing can be written any more. */
  end(): Uint8Array {
    this.writer.close()
    return this.pieces.take()
  }
}
