/**
 * Rows of a text that may not be held whole: CSV and NDJSON, a block of whole lines at a time. The rows themselves are held; the
 * text is not.
 */
import { Effect, Stream } from "effect"
import { concatenated } from "../../../services/PayloadDraft.ts"
import { CsvRecords } from "./CsvRecords.ts"
import { CsvRowEnds } from "./CsvRowEnds.ts"
import { type DecodedRows, DecodeFailure, type RowContext, rowsInPieces } from "./decodeRows.ts"
import { JsonRecords, jsonColumns, ndjsonSource } from "./JsonRecords.ts"
import { type NoRecords, type OpenRecords, openRecords } from "./openRecords.ts"

/** Bytes of a block: a few milliseconds of reading between two turns to the stream. */
const blockSize = 1_048_576
/** A line that is longer is no row. */
export const longestLine = 16 * blockSize

const newline = 10

/** Cuts a growing text behind the last end of a row. */
class Blocks {
  private chunks: Array<Uint8Array> = []
  private size = 0
  /** Bytes of `chunks` up to and with the last line end; 0 when there is none. */
  private whole = 0
  private readonly ends: CsvRowEnds | null

  /** Null: every line is a row. */
  constructor(ends: CsvRowEnds | null) {
    this.ends = ends
  }

  get length(): number {
    return this.size
  }

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    const { ends } = this
    if (ends === null) {
      const at = chunk.lastIndexOf(newline)
      if (at >= 0) this.whole = this.size + at + 1
    } else {
      for (let at = 0; at < chunk.length; at++) if (ends.next(chunk[at])) this.whole = this.size + at + 1
    }
    this.size += chunk.length
  }

  /** The whole lines, or with `all` whatever there is. */
  take(all: boolean): Uint8Array {
    const text = concatenated(this.chunks, this.size)
    const end = all ? this.size : this.whole
    const rest = text.subarray(end)
    this.chunks = rest.length === 0 ? [] : [rest.slice()]
    this.size = rest.length
    this.whole = 0
    return text.subarray(0, end)
  }
}

const linesIn = (bytes: Uint8Array): number => {
  let lines = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lines++
  return lines
}

/** The bars of a text that lie in the range. Fails with DecodeFailure for JSON documents, which can only be read whole. */
export const decodeStream = Effect.fnUntraced(function* <E>(
  text: Stream.Stream<Uint8Array, E>,
  context: RowContext
): Effect.fn.Return<DecodedRows, DecodeFailure | E> {
  const { decoding, label } = context
  const fail = (position: number | null, message: string) =>
    new DecodeFailure({ position, message: `${label(position)}: ${message}` })
  if (decoding.format === "json") {
    return yield* fail(null, "it is too large to be read as one JSON document; ask for less at once")
  }
  const rows = yield* Effect.fromResult(rowsInPieces(context))
  const blocks = new Blocks(decoding.format === "csv" ? new CsvRowEnds(decoding.delimiter) : null)
  let before = 0
  let first: OpenRecords | null = null

  const opened = (bytes: Uint8Array): Effect.Effect<OpenRecords, NoRecords> => {
    if (first === null) return openRecords(bytes, decoding)
    const records =
      decoding.format === "csv"
        ? new CsvRecords(bytes, decoding.delimiter)
        : new JsonRecords(ndjsonSource(bytes), decoding)
    return Effect.succeed({ ...first, records, columns: decoding.format === "csv" ? first.columns : jsonColumns })
  }

  const block = Effect.fnUntraced(function* (all: boolean) {
    let bytes = blocks.take(all)
    if (bytes.length === 0) return
    if (before === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
    const found = yield* opened(bytes).pipe(Effect.mapError(({ message, position }) => fail(position, message)))
    first = found
    yield* rows.read(found, before)
    before += linesIn(bytes)
  })

  yield* Stream.runForEach(text, (chunk) =>
    Effect.suspend(() => {
      blocks.push(chunk)
      if (blocks.length < blockSize) return Effect.void
      return blocks.length > longestLine + blockSize
        ? Effect.fail(fail(before + 1, "the line has no end; is this a text with a row a line?"))
        : block(false)
    })
  )
  yield* block(true)
  return rows.finish()
})
