const newline = 10
const quote = 34

/** At the beginning of a field, in one without quotes, in one with, and behind what may be its closing quote. */
const begun = 0
const plain = 1
const quoted = 2
const closed = 3

/**
 * Tells the line ends of a CSV text that end a row from those within quotes, as CsvRecords reads them: quotes begin where a field does;
 * elsewhere a quote is text. The text comes byte for byte.
 */
export class CsvRowEnds {
  private readonly delimiter: number
  private state = begun

  constructor(delimiter: string) {
    this.delimiter = delimiter.charCodeAt(0)
  }

  /** Whether this byte ends a row. */
  next(code: number | undefined): boolean {
    if (this.state === quoted) {
      if (code === quote) this.state = closed
      return false
    }
    if (code === newline) {
      this.state = begun
      return true
    }
    if (code === this.delimiter) this.state = begun
    else if (code === quote && this.state !== plain) this.state = quoted
    else this.state = plain
    return false
  }

  /** What comes next is the beginning of a row. */
  restart(): void {
    this.state = begun
  }
}
