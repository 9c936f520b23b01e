/** A set of ids, a bit each: a million of them are 125 kB. */
export class Bits {
  private words = new Uint32Array(1024)
  private members = 0

  get size(): number {
    return this.members
  }

  has(id: number): boolean {
    return ((this.words[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0
  }

  add(id: number): void {
    const at = id >>> 5
    if (at >= this.words.length) {
      const wider = new Uint32Array(Math.max(at + 1, 2 * this.words.length))
      wider.set(this.words)
      this.words = wider
    }
    if (this.has(id)) return
    this.words[at] = (this.words[at] ?? 0) | (1 << (id & 31))
    this.members++
  }

  delete(id: number): void {
    if (!this.has(id)) return
    const at = id >>> 5
    this.words[at] = (this.words[at] ?? 0) & ~(1 << (id & 31))
    this.members--
  }

  /** Up to `limit` members above `after`, ascending. */
  above(after: number, limit: number): ReadonlyArray<number> {
    const found: Array<number> = []
    for (let at = (after + 1) >>> 5; at < this.words.length && found.length < limit; at++) {
      if (this.words[at] === 0) continue
      for (let id = at * 32; id < at * 32 + 32 && found.length < limit; id++) {
        if (id > after && this.has(id)) found.push(id)
      }
    }
    return found
  }

  /** Up to `limit` members below `before`, descending. */
  below(before: number, limit: number): ReadonlyArray<number> {
    const found: Array<number> = []
    for (let at = Math.min(this.words.length - 1, before >>> 5); at >= 0 && found.length < limit; at--) {
      if (this.words[at] === 0) continue
      for (let id = at * 32 + 31; id >= at * 32 && found.length < limit; id--) {
        if (id < before && this.has(id)) found.push(id)
      }
    }
    return found
  }
}
