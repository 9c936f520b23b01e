const escape = String.fromCharCode(27)
const sequences = new RegExp(`${escape}\\[[\\d;]*[A-Za-z]|[\\s\\S]`, "gu")

/**
 * What a terminal shows after the bytes that a command wrote, as far as commands of ours go: text, line ends, the cursor up, erasing, and lines that are
 * broken at the width, anew when it becomes narrower. Colours are passed over, and nothing scrolls away.
 */
export class Screen {
  private rows: Array<string> = [""]
  private row = 0
  private column = 0
  private columns: number

  constructor(columns: number) {
    this.columns = columns
  }

  write(text: string): void {
    for (const [part] of text.matchAll(sequences)) this.take(part)
  }

  /** As terminals do that break lines anew: the cursor stays in what it stood in. */
  narrow(columns: number): void {
    const rows: Array<string> = []
    let at = 0
    for (const [index, row] of this.rows.entries()) {
      if (index === this.row) at = rows.length + Math.floor(this.column / columns)
      for (let from = 0; from === 0 || from < row.length; from += columns) rows.push(row.slice(from, from + columns))
    }
    this.rows = rows
    this.row = at
    this.column %= columns
    this.columns = columns
  }

  /** Without the blank ones at the end. */
  lines(): ReadonlyArray<string> {
    return this.rows.join("\n").trimEnd().split("\n")
  }

  private take(part: string): void {
    const [, count = "", code] = part.length === 1 ? [] : (/\[([\d;]*)([A-Za-z])$/.exec(part) ?? [])
    if (code === "A") this.row = Math.max(0, this.row - Number(count || 1))
    else if (code === "J") {
      this.rows.length = this.row + 1
      this.rows[this.row] = (this.rows[this.row] ?? "").slice(0, this.column)
    } else if (code === "K") this.rows[this.row] = ""
    else if (code !== undefined) return
    else if (part === "\r") this.column = 0
    else if (part === "\n") this.down()
    else this.put(part)
  }

  private down(): void {
    this.row++
    this.column = 0
    if (this.row === this.rows.length) this.rows.push("")
  }

  private put(character: string): void {
    if (this.column === this.columns) this.down()
    const row = (this.rows[this.row] ?? "").padEnd(this.column)
    this.rows[this.row] = row.slice(0, this.column) + character + row.slice(this.column + 1)
    this.column++
  }
}
