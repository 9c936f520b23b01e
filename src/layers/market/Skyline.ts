/**
 * The newest of many overlapping answers at each instant: a sweep over their bounds with a heap of those that are open.
 * O(n log n), in slices, so that a long history does not hold the event loop.
 */
import type { Answer } from "./GenerationTables.ts"
import { compare } from "./KnowledgeKey.ts"

const push = (heap: Array<Answer>, answer: Answer): void => {
  let at = heap.push(answer) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent]
    if (above === undefined || compare(above, answer) >= 0) return
    heap[at] = above
    heap[parent] = answer
    at = parent
  }
}

const pop = (heap: Array<Answer>): void => {
  const moved = heap.pop()
  if (moved === undefined || heap.length === 0) return
  let at = 0
  heap[0] = moved
  for (;;) {
    let newest = at
    for (const child of [2 * at + 1, 2 * at + 2]) {
      const candidate = heap[child]
      const best = heap[newest]
      if (candidate !== undefined && best !== undefined && compare(candidate, best) > 0) newest = child
    }
    const swap = heap[newest]
    if (newest === at || swap === undefined) return
    heap[newest] = moved
    heap[at] = swap
    at = newest
  }
}

/** `answers` are sorted by start. The pieces that `next` gives are disjoint, ascending, and as long as they can be. */
export class Skyline {
  private readonly answers: ReadonlyArray<Answer>
  private readonly open: Array<Answer> = []
  private taken = 0
  private at = Number.NEGATIVE_INFINITY

  constructor(answers: ReadonlyArray<Answer>) {
    this.answers = answers
  }

  /** The next pieces, about `limit` of them; empty when there are no more. */
  next(limit: number): Array<Answer> {
    const pieces: Array<Answer> = []
    while (pieces.length < limit) {
      let top = this.open[0]
      while (top !== undefined && top.end <= this.at) {
        pop(this.open)
        top = this.open[0]
      }
      const coming = this.answers[this.taken]
      if (top === undefined) {
        if (coming === undefined) return pieces
        push(this.open, coming)
        this.taken++
        this.at = coming.start
        continue
      }
      if (coming !== undefined && coming.start < top.end) {
        this.taken++
        push(this.open, coming)
        // Only an answer that is newer than the one on top ends its piece.
        if (compare(coming, top) > 0) {
          if (this.at < coming.start) pieces.push({ ...top, start: this.at, end: coming.start })
          this.at = coming.start
        }
        continue
      }
      pieces.push({ ...top, start: this.at, end: top.end })
      this.at = top.end
    }
    return pieces
  }
}
