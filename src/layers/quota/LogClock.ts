import type { Clock } from "effect"

/** An instant of the log's own time and what the wall clock said then, both in milliseconds. */
export interface ClockReading {
  readonly log: number
  readonly wall: number
}

/**
 * The time in which spent budget is logged. It begins as the wall clock's and from then on follows elapsed time, so that
 * setting the wall clock, forward or back, neither frees budget nor holds it. The wall clock only says how long nobody was
 * running: a reading saved with the log, plus what the wall clock has moved since (never less than nothing).
 *
 * What cannot be known: a wall clock that was set forward while no process ran counts as time that passed.
 */
export class LogClock {
  private readonly clock: Clock.Clock
  private log: number
  private elapsed: number

  constructor(clock: Clock.Clock, saved: ClockReading | null) {
    const wall = clock.currentTimeMillisUnsafe()
    this.clock = clock
    this.log = saved === null ? wall : saved.log + Math.max(0, wall - saved.wall)
    this.elapsed = this.monotonic()
  }

  /** Milliseconds, with fractions; never less than before. */
  now(): number {
    const elapsed = this.monotonic()
    // A monotonic clock that is not (a test's, a suspended machine's) costs the time it takes back and no more.
    if (elapsed > this.elapsed) this.log += elapsed - this.elapsed
    this.elapsed = elapsed
    return this.log
  }

  /** Another process on the same log has seen a later time. */
  advanceTo(log: number): void {
    if (log > this.now()) this.log = log
  }

  reading(): ClockReading {
    return { log: this.now(), wall: this.clock.currentTimeMillisUnsafe() }
  }

  private monotonic(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1e6
  }
}
