import type { Effect } from "effect"
import type { DeploymentTask } from "../../domain/DeploymentTask.ts"
import type { Enqueued, JobQueue, JobQueueError } from "../../services/JobQueue.ts"

/** Queues a task before everything else; one that is queued or running already is the same job. For who may change the deployment. */
export const startTask = (queue: JobQueue["Service"], task: DeploymentTask): Effect.Effect<Enqueued, JobQueueError> => {
  const payload = task.type === "migrate" ? {} : task.payload
  const key = `deployment ${[task.type, ...Object.values(payload).map((part) => (typeof part === "object" ? JSON.stringify(part) : part))].join(" ")}`
  return queue.enqueue(
    { key, type: task.type, payload, priority: "urgent", maxAttempts: 3 },
    { again: true, asAdmin: true }
  )
}
