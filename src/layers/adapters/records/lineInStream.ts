import { Effect, Stream } from "effect"
import { concatenated } from "../../../services/PayloadDraft.ts"
import { DecodeFailure } from "./decodeRows.ts"
import { longestLine } from "./decodeStream.ts"

const utf8 = new TextDecoder()
const newline = 10

/** Finds one line of a text that comes in chunks; holds nothing but that line. */
class Search {
  private at = 1
  private parts: Array<Uint8Array> = []
  private size = 0
  private ended = false
  private readonly line: number

  constructor(line: number) {
    this.line = line
  }

  /** Says whether the line is longer than any row. */
  push(chunk: Uint8Array): boolean {
    let start = 0
    while (this.at < this.line) {
      const end = chunk.indexOf(newline, start)
      if (end === -1) return false
      start = end + 1
      this.at++
    }
    if (this.ended) return false
    const end = chunk.indexOf(newline, start)
    this.ended = end !== -1
    // A copy: the chunk would be held for the sake of one line of it.
    const part = chunk.slice(start, this.ended ? end : chunk.length)
    this.parts.push(part)
    this.size += part.length
    return this.size > longestLine
  }

  get found(): string | null {
    if (this.at < this.line || this.line < 1 || (this.size === 0 && !this.ended)) return null
    return utf8.decode(concatenated(this.parts, this.size)).replace(/\r$/, "")
  }
}

/**
 * A line, by its number from 1 and without its end, of a text that may not be held whole; null when it has fewer. All of the text is
 * read, since only at its end is it known to be what was archived.
 */
export const lineInStream = Effect.fnUntraced(function* <E>(
  text: Stream.Stream<Uint8Array, E>,
  line: number
): Effect.fn.Return<string | null, DecodeFailure | E> {
  const search = new Search(line)
  yield* Stream.runForEach(text, (chunk) =>
    search.push(chunk)
      ? Effect.fail(new DecodeFailure({ position: line, message: `line ${line} has no end` }))
      : Effect.void
  )
  return search.found
})
