import { Effect, Exit } from "effect"
import { JobQueue } from "../../services/JobQueue.ts"
import { holdsData } from "../holdsData.ts"
import { settings } from "../Settings.ts"
import { withData } from "../withData.ts"
import { ok, warning } from "./Check.ts"

/** As many as a message names. */
const named = 3

/** Whether jobs wait that nobody here can do. A store that cannot be read is told by the checks before. */
export const checkJobs = Effect.gen(function* () {
  const found = yield* Effect.exit(settings)
  if (Exit.isFailure(found)) return []
  const there = yield* Effect.exit(holdsData(found.value.dataDir.value))
  if (Exit.isFailure(there) || !there.value) return []
  const queued = yield* Effect.exit(withData(JobQueue.use((queue) => queue.list({ states: ["queued"], limit: 1_000 }))))
  if (Exit.isFailure(queued)) return []
  const types = [...new Set(queued.value.flatMap(({ job, unknownType }) => (unknownType === true ? [job.type] : [])))]
  if (types.length === 0) return [ok("jobs", `${queued.value.length} wait`)]
  const rest = types.length > named ? `, and ${types.length - named} more` : ""
  return [
    warning(
      "jobs",
      `jobs wait of types that this release does not do: ${types.slice(0, named).join(", ")}${rest}; a program that does has to run, or they are cancelled (tapestry jobs list --state queued)`
    )
  ]
})
