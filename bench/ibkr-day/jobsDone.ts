/** The jobs that were left to have gaps stored: run until none is left, as a server runs them. */
import { Clock, Effect, Fiber } from "effect"
import { JobQueue } from "../../src/services/JobQueue.ts"

const hour = 3_600_000

/** Somebody has to let time go on. */
export const jobsDone = Effect.gen(function* () {
  const queue = yield* JobQueue
  const began = yield* Clock.currentTimeMillis
  const working = yield* Effect.forkChild(queue.work({ concurrency: 2 }))
  for (;;) {
    yield* Effect.sleep("10 seconds")
    const waiting = yield* queue.list({ states: ["queued", "running"], limit: 1 })
    if (waiting.length === 0) break
    if (working.pollUnsafe() !== undefined) yield* Fiber.join(working)
  }
  yield* Fiber.interrupt(working)
  const done = yield* queue.list({ limit: 100_000 })
  const failed = done.filter(({ job }) => job.state !== "completed")
  return {
    done: done.length,
    hours: ((yield* Clock.currentTimeMillis) - began) / hour,
    problems: failed.slice(0, 5).map(({ job, run }) => `job ${job.key} is ${job.state}: ${run?.error}`)
  }
})
