/**
 * The time of a simulated gateway, and what is due at which instant of it. One heap holds everything that is to happen: what is due first comes
 * first, and of what is due at one instant what was scheduled first, so that a seed and the same requests make the same bytes. Stepped, it
 * stands still until it is told to move; running, it follows the machine's monotonic clock, some factor faster. Instants are UTC
 * epoch milliseconds.
 */

export interface Task {
  readonly at: number
  readonly order: number
  /** Null once it has run or was cancelled. */
  run: (() => void) | null
}

const isBefore = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

class Heap {
  private readonly tasks: Array<Task> = []

  get first(): Task | undefined {
    return this.tasks[0]
  }

  get size(): number {
    return this.tasks.length
  }

  push(task: Task): void {
    const { tasks } = this
    let index = tasks.length
    tasks.push(task)
    while (index > 0) {
      const above = (index - 1) >>> 1
      const parent = tasks[above]
      if (parent === undefined || !isBefore(task, parent)) break
      tasks[index] = parent
      index = above
    }
    tasks[index] = task
  }

  shift(): void {
    const { tasks } = this
    const last = tasks.pop()
    if (last === undefined || tasks.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const one = tasks[left]
      if (one === undefined) break
      const other = tasks[left + 1]
      const right = other !== undefined && isBefore(other, one)
      const least = right ? other : one
      if (!isBefore(least, last)) break
      tasks[index] = least
      index = right ? left + 1 : left
    }
    tasks[index] = last
  }
}

/** Longer delays than this a timer of Node does not take. */
const longestDelay = 2_147_483_647

export class VirtualTime {
  private readonly heap = new Heap()
  private readonly began: number
  private readonly speed: number
  private readonly afterRun: () => void
  private current: number
  private order = 0
  private timer: NodeJS.Timeout | null = null
  private timerAt = Number.POSITIVE_INFINITY

  /** `speed` 0: stepped. `afterRun` is called when a turn has run what was due. */
  constructor(start: number, speed: number, afterRun: () => void) {
    this.current = start
    this.began = start - performance.now() * speed
    this.speed = speed
    this.afterRun = afterRun
  }

  get stepped(): boolean {
    return this.speed === 0
  }

  now(): number {
    if (this.speed === 0) return this.current
    const now = Math.floor(this.began + performance.now() * this.speed)
    if (now > this.current) this.current = now
    return this.current
  }

  /** How many milliseconds of the machine pass until an instant; infinite when stepped. */
  realDelay(at: number): number {
    return this.speed === 0 ? Number.POSITIVE_INFINITY : (at - this.now()) / this.speed
  }

  schedule(at: number, run: () => void): Task {
    const task: Task = { at: Math.max(at, this.current), order: this.order++, run }
    if (at === Number.POSITIVE_INFINITY) return task
    this.heap.push(task)
    this.arm()
    return task
  }

  /** Runs what is due until an instant, at most for so many milliseconds of the machine; true when there is more. */
  runUntil(until: number, budget: number): boolean {
    const began = budget === Number.POSITIVE_INFINITY ? 0 : performance.now()
    for (let count = 1; ; count++) {
      const { first } = this.heap
      if (first === undefined || first.at > until) break
      this.heap.shift()
      if (first.run === null) continue
      if (first.at > this.current) this.current = first.at
      const { run } = first
      first.run = null
      run()
      if (count % 64 === 0 && performance.now() - began > budget) return true
    }
    if (this.speed === 0 && until > this.current) this.current = until
    return false
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    while (this.heap.size > 0) this.heap.shift()
  }

  private arm(): void {
    const at = this.heap.first?.at
    if (this.speed === 0 || at === undefined || at >= this.timerAt) return
    if (this.timer !== null) clearTimeout(this.timer)
    this.timerAt = at
    this.timer = setTimeout(this.wake, Math.min(Math.max(0, this.realDelay(at)), longestDelay))
  }

  private readonly wake = () => {
    this.timer = null
    this.timerAt = Number.POSITIVE_INFINITY
    // Sockets have their turn between two slices.
    const more = this.runUntil(this.now(), 8)
    this.afterRun()
    if (more) this.timer = setTimeout(this.wake, 0)
    else this.arm()
  }
}

/** Takes what was scheduled back. */
export const cancel = (task: Task | null): void => {
  if (task !== null) task.run = null
}
