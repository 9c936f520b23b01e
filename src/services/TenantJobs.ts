import { Context, type Effect } from "effect"
import type { JobQueueError } from "./JobQueue.ts"

/** The jobs of all tenants of a process that owns a data directory. */
export class TenantJobs extends Context.Service<
  TenantJobs,
  {
    /**
     * Runs jobs for as long as this runs, whosever they are: those with the highest priority first, and of those the oldest, so many at a
     * time over all tenants. A tenant is opened when it has something to do. Fails at once where none can be run.
     */
    readonly work: (options: { readonly concurrency: number }) => Effect.Effect<never, JobQueueError>
  }
>()("tapestry/TenantJobs") {}
