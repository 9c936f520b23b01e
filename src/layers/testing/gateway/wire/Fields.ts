/** The fields of a request, one after the other. What is absent reads as nothing; what should be a number and is none makes it `bad`. */
export class Fields {
  private readonly values: ReadonlyArray<string>
  private index = 0
  bad = false

  constructor(payload: Buffer) {
    const values = payload.toString("utf8").split("\0")
    if (values.at(-1) === "") values.pop()
    this.values = values
  }

  get left(): number {
    return this.values.length - this.index
  }

  text(): string {
    return this.values[this.index++] ?? ""
  }

  /** An integer that has to be there. */
  int(): number {
    const text = this.text()
    const value = Number(text)
    if (text === "" || !Number.isInteger(value)) {
      this.bad = true
      return 0
    }
    return value
  }

  /** A number; absent, or as large as a double can be (which says so, too), it is 0. */
  number(): number {
    const text = this.text()
    if (text === "") return 0
    const value = Number(text)
    if (Number.isNaN(value)) this.bad = true
    return Number.isFinite(value) && value < 1e300 ? value : 0
  }

  flag(): boolean {
    const text = this.text()
    return text !== "" && text !== "0" && text.toLowerCase() !== "false"
  }

  skip(count: number): void {
    this.index += count
  }
}
