const nobody: ReadonlyArray<never> = []

/** A set, in the order in which its members came, which costs no more than a field while it has one: most streams have one consumer. */
export class Few<T extends object> {
  #one: T | null = null
  #many: Set<T> | null = null

  get size(): number {
    return this.#many === null ? Number(this.#one !== null) : this.#many.size
  }

  add(member: T): void {
    if (this.#many !== null) this.#many.add(member)
    else if (this.#one === null || this.#one === member) this.#one = member
    else {
      this.#many = new Set([this.#one, member])
      this.#one = null
    }
  }

  delete(member: T): void {
    if (this.#one === member) this.#one = null
    this.#many?.delete(member)
  }

  clear(): void {
    this.#one = null
    this.#many = null
  }

  /** As a set is: members that go while it is gone through are left out. */
  [Symbol.iterator](): Iterator<T> {
    return (this.#many ?? (this.#one === null ? nobody : [this.#one])).values()
  }
}
