/** A line of a client that is at hand; or that it is too long, after which nothing more is read. `line` counts from 1. */
export type Line =
  | { readonly _tag: "Line"; readonly line: number; readonly bytes: Uint8Array }
  | { readonly _tag: "TooLong"; readonly line: number }

/** Bytes of a line, without its end. */
export const maxLine = 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d
const firstBuffer = 4 * 1024

/**
 * Cuts what a client sends into lines, by bytes: a character of UTF-8 may be split over chunks, and where the client's writes
 * begin and end does not matter. `\r\n` ends a line too. Empty lines are left out, but counted. Never keeps more than one line's
 * limit; lines that are whole within a chunk are views of it and are not copied.
 */
export class LineReader {
  private line = 1
  private ended = false
  /** The line that is not whole yet: the first `length` bytes. */
  private kept = new Uint8Array(0)
  private length = 0
  private readonly limit: number

  constructor(limit: number = maxLine) {
    this.limit = limit
  }

  /** The lines that the chunk completes, in order. */
  feed(chunk: Uint8Array): ReadonlyArray<Line> {
    if (this.ended) return []
    const lines: Array<Line> = []
    let from = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      const rest = chunk.subarray(from, end)
      if (this.isTooLong(rest)) return this.tooLong(lines)
      const bytes = trimmed(this.length === 0 ? rest : this.keep(rest))
      if (bytes.length > 0) lines.push({ _tag: "Line", line: this.line, bytes })
      if (this.length > 0) this.forget()
      this.line += 1
      from = end + 1
    }
    if (from === chunk.length) return lines
    const rest = chunk.subarray(from)
    if (this.isTooLong(rest)) return this.tooLong(lines)
    this.keep(rest)
    return lines
  }

  /** A carriage return at the very end may belong to the line's end, and is not counted. */
  private isTooLong(rest: Uint8Array): boolean {
    const total = this.length + rest.length
    if (total <= this.limit) return false
    const last = rest.length > 0 ? rest.at(-1) : this.kept[this.length - 1]
    return total > this.limit + 1 || last !== carriageReturn
  }

  private tooLong(lines: Array<Line>): ReadonlyArray<Line> {
    this.ended = true
    this.forget()
    lines.push({ _tag: "TooLong", line: this.line })
    return lines
  }

  private keep(rest: Uint8Array): Uint8Array {
    const length = this.length + rest.length
    if (length > this.kept.length) {
      const grown = new Uint8Array(Math.max(length, Math.min(this.limit + 1, this.kept.length * 2), firstBuffer))
      grown.set(this.kept.subarray(0, this.length))
      this.kept = grown
    }
    this.kept.set(rest, this.length)
    this.length = length
    return this.kept.subarray(0, length)
  }

  /** The buffer goes with its line: views of it may still be in use, and idle connections should not hold memory. */
  private forget(): void {
    this.kept = new Uint8Array(0)
    this.length = 0
  }
}

const trimmed = (bytes: Uint8Array): Uint8Array =>
  bytes.length > 0 && bytes.at(-1) === carriageReturn ? bytes.subarray(0, -1) : bytes
