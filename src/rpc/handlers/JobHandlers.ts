import { Effect, Stream } from "effect"
import { JobQueue } from "../../services/JobQueue.ts"
import { JobRpcs } from "../contract/JobRpcs.ts"
import { asAdminOf, ServerAdminToken } from "./asAdmin.ts"
import { chunked } from "./chunked.ts"

const make = Effect.gen(function* () {
  const queue = yield* JobQueue
  const rightsOf = asAdminOf(yield* ServerAdminToken)

  return JobRpcs.of({
    // Nothing else of what a client sends: who may change the deployment does so by Admin.start.
    "Jobs.enqueue": ({ again = false, spec }) => queue.enqueue(spec, { again }),
    "Jobs.get": ({ job }) => queue.get(job),
    "Jobs.runs": ({ job }) => queue.runs(job),
    "Jobs.list": (filter) => chunked(queue.list(filter)),
    "Jobs.cancel": ({ job }, { headers }) => Effect.flatMap(rightsOf(headers), (rights) => queue.cancel(job, rights)),
    "Jobs.retry": ({ job }, { headers }) => Effect.flatMap(rightsOf(headers), (rights) => queue.retry(job, rights)),
    "Jobs.stuck": ({ silentMillis }) => queue.stuck(silentMillis),
    "Jobs.cleanup": ({ before }, { headers }) =>
      Effect.flatMap(rightsOf(headers), (rights) => queue.cleanup(before, rights)),
    "Jobs.watch": ({ job }) => queue.watch(job),
    "Jobs.work": ({ jobs }) => Stream.fromEffectDrain(queue.work({ only: jobs }))
  })
})

export const layer = JobRpcs.toLayer(make)
