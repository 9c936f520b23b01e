/**
 * Arrow IPC in segments: each is the schema, the dictionaries and a record batch, all as they came, so that each can be read by itself. A
 * batch that is too large for a segment is cut into several by rows. One batch is held at a time, whatever the size of the file.
 */
import { DataType, type Field, type RecordBatch } from "apache-arrow"
import { Effect, Result, Stream } from "effect"
import { type ImportSpec, ImportsError, UnreadableText } from "../../../services/Imports.ts"
import { type Cut, segmentBytes } from "../SegmentCutter.ts"
import { ArrowFraming, type ArrowMessage } from "./ArrowFraming.ts"
import { arrowColumns } from "./arrowColumns.ts"
import { isWhole } from "./columnReader.ts"
import { readBatch } from "./readBatch.ts"
import { type Slice, sliceBatch } from "./sliceBatch.ts"

export interface ArrowSegmentsOptions<E, E2, R, R2> {
  readonly spec: ImportSpec
  readonly text: Stream.Stream<Uint8Array, E, R>
  /** Takes the segments in order; `end` is how far the text is read with each. */
  readonly take: (cut: Cut, end: number) => Effect.Effect<void, E2, R2>
}

/** Of a segment: packed columns may hold any number of rows in few bytes. */
const mostRows = 65_536

const unreadable = (line: number | null, message: string) =>
  new ImportsError({ reason: new UnreadableText({ line, message, unit: "row" }) })

/** Bytes that a batch has when it is unpacked: roughly, since padding is not counted. */
const unpackedBytes = (batch: RecordBatch): number =>
  batch.data.children.reduce((sum, { byteLength }) => sum + byteLength, 1)

export const arrowSegments: <E, E2, R, R2>(
  options: ArrowSegmentsOptions<E, E2, R, R2>
) => Effect.Effect<void, E | E2 | ImportsError, R | R2> = Effect.fnUntraced(function* <E, E2, R, R2>({
  spec,
  take,
  text
}: ArrowSegmentsOptions<E, E2, R, R2>) {
  const framing = new ArrowFraming()
  let schema: Uint8Array | null = null
  let fields: ReadonlyArray<Field> = []
  /** By id: the dictionary, and what was added to it. */
  const dictionaries = new Map<number, Array<Uint8Array>>()
  let line = 1

  const noSchema = "it does not begin with its schema; write it in the stream format, or with another library"

  const slices = Effect.fnUntraced(function* (found: ArrowMessage, whole: Uint8Array) {
    const batch = readBatch(whole)
    if (Result.isFailure(batch)) return yield* unreadable(line, batch.failure)
    const rows = batch.success.numRows
    const broken = batch.success.data.children.findIndex((data) => data.length !== rows || !isWhole(data))
    if (broken >= 0) {
      return yield* unreadable(
        line,
        `the column ${JSON.stringify(fields[broken]?.name)} is damaged; write the file again`
      )
    }
    const pieces = sliceBatch(batch.success, unpackedBytes(batch.success), mostRows)
    for (;;) {
      const piece = Result.try((): IteratorResult<Slice> => pieces.next())
      if (Result.isFailure(piece)) return yield* unreadable(line, "the record batch is damaged; write the file again")
      if (piece.success.done === true) return
      const { bytes, from } = piece.success.value
      if (bytes === null) return yield* unreadable(line + from, `the row is larger than ${segmentBytes} bytes`)
      yield* take({ bytes, line: line + from, offset: found.offset }, found.offset + found.bytes.length)
      yield* Effect.yieldNow
    }
  })

  const one = Effect.fnUntraced(function* (found: ArrowMessage) {
    const { bytes, message } = found
    if (message.isSchema()) {
      if (schema !== null) return yield* unreadable(line, "it has a second schema; a file holds one")
      const columns = arrowColumns(spec, message.header())
      if (Result.isFailure(columns)) return yield* unreadable(null, columns.failure)
      schema = bytes
      fields = message.header().fields
      return
    }
    if (schema === null) return yield* unreadable(null, noSchema)
    if (message.isDictionaryBatch()) {
      const { id, isDelta } = message.header()
      dictionaries.set(id, isDelta ? [...(dictionaries.get(id) ?? []), bytes] : [bytes])
      return
    }
    if (!message.isRecordBatch()) return yield* unreadable(line, "it has a message that is no rows")
    const { length } = message.header()
    if (length === 0) return
    const without = fields.find(({ type }) => DataType.isDictionary(type) && !dictionaries.has(type.id))
    if (without !== undefined) {
      return yield* unreadable(
        line,
        `the dictionary of the column ${JSON.stringify(without.name)} comes behind the rows that need it; write the stream format (Polars: write_ipc_stream), or cast the column to text`
      )
    }
    const whole = Buffer.concat([schema, ...[...dictionaries.values()].flat(), bytes])
    if (whole.length > segmentBytes || length > mostRows) yield* slices(found, whole)
    else yield* take({ bytes: whole, line, offset: found.offset }, found.offset + bytes.length)
    line += length
  })

  yield* Stream.runForEach(
    text,
    Effect.fnUntraced(function* (chunk: Uint8Array) {
      for (let at = 0; at < chunk.length; ) {
        at = framing.push(chunk, at)
        const found = framing.take()
        if (Result.isFailure(found)) return yield* unreadable(line, found.failure)
        if (found.success !== null) yield* one(found.success)
      }
    })
  )
  if (framing.brokenOff) return yield* unreadable(line, "it breaks off in the middle; copy the file again")
  if (schema === null) return yield* unreadable(null, noSchema)
})
