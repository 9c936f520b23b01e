import type { CsvRowEnds } from "../adapters/records/CsvRowEnds.ts"

/** Bytes of a segment. In base64 it fits into a line of the protocol. */
export const segmentBytes = 640 * 1024

const newline = 10

/** Whole lines of a text. */
export interface Cut {
  readonly offset: number
  readonly line: number
  readonly bytes: Uint8Array
}

/**
 * Cuts a text into segments: each ends behind the last line end within its size. Where they end follows from the text alone, never from
 * the pieces in which it came, so that a text that is imported again has the same segments. A line that is longer than a segment
 * cannot be cut.
 */
export class SegmentCutter {
  private readonly ends: CsvRowEnds | null
  private readonly size: number
  private held: Uint8Array
  private length = 0
  private scanned = 0
  /** Behind the last end of a row that was seen; 0 when there is none. */
  private whole = 0
  private linesToWhole = 0
  private lines = 0
  private offset: number
  private line: number

  /** `ends` tells which line ends end a row; null: all of them. The text begins at `offset`, which is in `line`. */
  constructor(options: {
    readonly ends: CsvRowEnds | null
    readonly offset: number
    readonly line: number
    readonly size?: number
  }) {
    this.ends = options.ends
    this.offset = options.offset
    this.line = options.line
    this.size = options.size ?? segmentBytes
    this.held = new Uint8Array(2 * this.size)
  }

  /** The line that a segment would have to end in, where it is too long for one. */
  get tooLong(): number | null {
    return this.length >= this.size && this.whole === 0 ? this.line : null
  }

  /** As much of `chunk`, from `from` on, as there is room for; gives where to go on. Take segments until there are none, then push on. */
  push(chunk: Uint8Array, from: number): number {
    const room = this.held.length - this.length
    const taken = Math.min(room, chunk.length - from)
    this.held.set(chunk.subarray(from, from + taken), this.length)
    this.length += taken
    return from + taken
  }

  private scan(): void {
    const end = Math.min(this.length, this.size)
    const { ends, held } = this
    for (let at = this.scanned; at < end; at++) {
      const code = held[at]
      if (code === newline) this.lines++
      if (ends === null ? code === newline : ends.next(code)) {
        this.whole = at + 1
        this.linesToWhole = this.lines
      }
    }
    this.scanned = end
  }

  /** The next segment; null when more of the text is needed. At the end of the text whatever is left is one. */
  take(ended: boolean): Cut | null {
    this.scan()
    if (this.length < this.size && !ended) return null
    const last = ended && this.length <= this.size
    const end = last ? this.length : this.whole
    if (end === 0) return null
    const cut: Cut = { offset: this.offset, line: this.line, bytes: this.held.slice(0, end) }
    this.offset += end
    this.line += last ? this.lines : this.linesToWhole
    this.held.copyWithin(0, end, this.length)
    this.length -= end
    this.scanned = 0
    this.ends?.restart()
    this.whole = 0
    this.lines = 0
    this.linesToWhole = 0
    return cut
  }
}
