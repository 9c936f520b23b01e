const quote = 34
const backslash = 92
const comma = 44
const colon = 58
const openBrace = 123
const closeBrace = 125
const openBracket = 91
const closeBracket = 93

/** A part of a JSON text: the bytes `[start, end)`. */
export interface Slice {
  readonly start: number
  readonly end: number
}

const latin1 = new TextDecoder("latin1")

/**
 * Walks over a JSON text in its bytes, once, and lets its visitor say what of it is looked at. A walk returns the index behind
 * what it walked over, or -1 when the text is not what it should be or breaks off. Only the structure is seen to (brackets,
 * strings, commas); numbers are checked by whoever reads them.
 */
export class JsonWalker {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  private blanks(start: number): number {
    const { bytes } = this
    let at = start
    for (let code = bytes[at]; code === 32 || code === 10 || code === 13 || code === 9; code = bytes[at]) at++
    return at
  }

  /** The index behind the string that begins at `start`; -1 when it does not end. */
  private string(start: number): number {
    const { bytes } = this
    for (let at = start + 1; at < bytes.length; at++) {
      const code = bytes[at]
      if (code === backslash) at++
      else if (code === quote) return at + 1
    }
    return -1
  }

  /** Over a value of any kind. */
  skip(start: number): number {
    const { bytes } = this
    const first = bytes[start]
    if (first === quote) return this.string(start)
    if (first === openBracket) {
      const second = bytes[this.blanks(start + 1)] ?? 0
      // A list of numbers has neither brackets nor strings inside, so its end is found at the speed of memory.
      if (second !== openBracket && second !== openBrace && second !== quote) {
        const end = bytes.indexOf(closeBracket, start)
        return end === -1 ? -1 : end + 1
      }
    } else if (first !== openBrace) {
      let at = start
      for (let code = bytes[at] ?? 0; code > 32 && code !== comma && code !== closeBrace && code !== closeBracket; ) {
        code = bytes[++at] ?? 0
      }
      return at > start && at < bytes.length ? at : -1
    }
    let depth = 0
    for (let at = start; at < bytes.length; at++) {
      const code = bytes[at]
      if (code === quote) {
        at = this.string(at) - 1
        if (at < 0) return -1
      } else if (code === openBrace || code === openBracket) depth++
      else if (code === closeBrace || code === closeBracket) {
        depth--
        if (depth === 0) return at + 1
      }
    }
    return -1
  }

  /** Over an object; the visitor is told of each member and returns the index behind its value. */
  members(start: number, visit: (name: string, value: number) => number): number {
    const { bytes } = this
    let at = this.blanks(start)
    if (bytes[at] !== openBrace) return -1
    at = this.blanks(at + 1)
    if (bytes[at] === closeBrace) return at + 1
    for (;;) {
      if (bytes[at] !== quote) return -1
      const afterName = this.string(at)
      if (afterName === -1) return -1
      const name = latin1.decode(bytes.subarray(at + 1, afterName - 1))
      at = this.blanks(afterName)
      if (bytes[at] !== colon) return -1
      const end = visit(name, this.blanks(at + 1))
      if (end === -1) return -1
      at = this.blanks(end)
      if (bytes[at] === closeBrace) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.blanks(at + 1)
    }
  }

  /** Over an array of which only the first item is of interest; null in its place is skipped. */
  first(start: number, visit: (item: number) => number): number {
    const { bytes } = this
    if (bytes[start] !== openBracket) return this.skip(start)
    let at = this.blanks(start + 1)
    if (bytes[at] === closeBracket) return at + 1
    for (let index = 0; ; index++) {
      const end = index === 0 && bytes[at] === openBrace ? visit(at) : this.skip(at)
      if (end === -1) return -1
      at = this.blanks(end)
      if (bytes[at] === closeBracket) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.blanks(at + 1)
    }
  }

  /** Whether nothing but blank space follows. */
  endsAt(at: number): boolean {
    return this.blanks(at) >= this.bytes.length
  }

  isNull(start: number): boolean {
    return this.bytes[start] === 110
  }

  text({ start, end }: Slice): string {
    return utf8.decode(this.bytes.subarray(start, end))
  }
}

const utf8 = new TextDecoder()
