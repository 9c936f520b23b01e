import type { Records } from "./Records.ts"

const newline = 10
const carriageReturn = 13
const quote = 34
const space = 32

/** Bytes of a record. A longer one is no row of prices, and every message about it would carry it whole. */
const longest = 1_048_576

const utf8 = new TextDecoder()

/**
 * The records of a CSV text, read in place: a record is the bounds of its fields. Quoted fields may hold the delimiter, doubled
 * quotes and line ends; lines may end in LF or CRLF, the last one in nothing; blank lines are no records. `position` is the
 * 1-based line on which the record begins. A record of more than 1 MiB ends the reading.
 */
export class CsvRecords implements Records {
  readonly bytes: Uint8Array
  starts: Int32Array<ArrayBuffer> = new Int32Array(16)
  ends: Int32Array<ArrayBuffer> = new Int32Array(16)
  fields = 0
  position = 0
  problem: string | null = null
  fatal = false
  private readonly delimiter: number
  private at = 0
  private line = 1

  constructor(bytes: Uint8Array, delimiter: string) {
    this.bytes = bytes
    this.delimiter = delimiter.charCodeAt(0)
  }

  private close(start: number, end: number): void {
    const index = this.fields++
    if (index >= this.starts.length) {
      const starts = new Int32Array(index * 2)
      const ends = new Int32Array(index * 2)
      starts.set(this.starts)
      ends.set(this.ends)
      this.starts = starts
      this.ends = ends
    }
    this.starts[index] = start
    this.ends[index] = end
  }

  /** Moves to the next record; false at the end of the text. */
  next(): boolean {
    const { bytes, delimiter } = this
    const size = bytes.length
    let at = this.at
    while (at < size) {
      const code = bytes[at]
      if (code === newline) {
        this.line++
        at++
      } else if (code === carriageReturn && (at + 1 >= size || bytes[at + 1] === newline)) at++
      else break
    }
    if (at >= size) {
      this.at = at
      return false
    }
    this.position = this.line
    this.problem = null
    this.fields = 0
    const begin = at
    let start = at
    while (true) {
      if (at < size && bytes[at] === quote) {
        at = this.quoted(at)
        if (at < 0) return true
        start = at
      } else {
        let code = newline
        while (at < size) {
          code = bytes[at] ?? newline
          if (code === delimiter || code === newline) break
          at++
        }
        const end = at > start && (at >= size || code === newline) && bytes[at - 1] === carriageReturn ? at - 1 : at
        this.close(start, end)
      }
      if (at >= size) break
      if (bytes[at] === newline) {
        at++
        this.line++
        break
      }
      at++
      start = at
    }
    this.at = at
    if (at - begin > longest) {
      this.problem = `the line has ${at - begin} bytes, which no row of prices has; is this a text file with a row a line?`
      this.fatal = true
    }
    return true
  }

  /** Reads the quoted field at `open` and stops at the delimiter or line end behind it; negative when it never ends. */
  private quoted(open: number): number {
    const { bytes, delimiter } = this
    const size = bytes.length
    let at = open + 1
    while (at < size) {
      const code = bytes[at]
      if (code === newline) this.line++
      if (code === quote) {
        if (bytes[at + 1] !== quote) break
        at++
      }
      at++
    }
    if (at >= size) {
      this.problem = "a quoted field that begins here never ends"
      this.fatal = true
      this.at = size
      return -1
    }
    this.close(open + 1, at)
    at++
    const after = at
    while (at < size && (bytes[at] === space || bytes[at] === carriageReturn) && bytes[at] !== delimiter) at++
    if (at < size && bytes[at] !== delimiter && bytes[at] !== newline) {
      this.problem = `there is text behind the closing quote of field ${this.fields}`
      at = after
      while (at < size && bytes[at] !== delimiter && bytes[at] !== newline) at++
    }
    return at
  }

  text(field: number): string {
    const text = utf8.decode(this.bytes.subarray(this.starts[field] ?? 0, this.ends[field] ?? 0))
    return text.includes('""') ? text.replaceAll('""', '"') : text
  }

  excerpt(): string {
    return utf8.decode(this.bytes.subarray(this.starts[0] ?? 0, this.ends[this.fields - 1] ?? 0))
  }
}
