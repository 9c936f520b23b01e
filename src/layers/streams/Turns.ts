/**
 * Once a turn of the event loop: whatever upstreams put into their sinks in a turn is worked off as one piece in the next one, and then
 * each consumer that has something is woken once, however many streams it has.
 */
import { Effect, Result, Scheduler } from "effect"

/** What has something to work off. */
export interface Flushable {
  readonly flush: () => void
  /** Working it off has thrown: a row that is none, most likely. It costs nobody else anything. */
  readonly broke: (defect: unknown) => void
}

/** Who waits to be told that there is something. */
export interface Wakeable {
  readonly wake: () => void
}

export interface Turns {
  /** Has it flushed in the next turn; at most once a turn is up to who calls. */
  readonly flushLater: (what: Flushable) => void
  /** Has it woken after all that is flushed in this turn. */
  readonly wakeLater: (whom: Wakeable) => void
}

/** Turns of the scheduler that runs the fibers here, so that a test's clock waits for them as it does for fibers. */
export const make: Effect.Effect<Turns> = Effect.gen(function* () {
  const dispatcher = (yield* Scheduler.Scheduler).makeDispatcher()
  let flushing: Array<Flushable> = []
  let waking: Array<Wakeable> = []
  let scheduled = false

  const turn = () => {
    scheduled = false
    const flushable = flushing
    flushing = []
    for (const what of flushable) {
      const flushed = Result.try({ try: () => what.flush(), catch: (defect) => defect })
      if (Result.isFailure(flushed)) what.broke(flushed.failure)
    }
    const wakeable = waking
    waking = []
    for (const whom of wakeable) whom.wake()
  }

  const schedule = () => {
    if (scheduled) return
    scheduled = true
    dispatcher.scheduleTask(turn, 0)
  }

  return {
    flushLater: (what) => {
      flushing.push(what)
      schedule()
    },
    wakeLater: (whom) => {
      waking.push(whom)
      schedule()
    }
  }
})
