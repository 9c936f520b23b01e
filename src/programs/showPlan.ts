import { Effect } from "effect"
import { type RangeQuery, StitchingCache } from "../services/StitchingCache.ts"
import { planDocument } from "./format/Documents.ts"
import { planSummary, planTable } from "./format/PlanLines.ts"
import { Output } from "./terminal/Output.ts"
import { styleOf } from "./terminal/Style.ts"

/** Makes the plan of a range and shows it: as a table with a summary, or as one JSON document. Nothing is fetched. */
export const showPlan = Effect.fnUntraced(function* (query: RangeQuery, json: boolean) {
  const { line, lines, terminal } = yield* Output
  const cache = yield* StitchingCache
  const plan = yield* cache.plan(query)
  if (json) return yield* line(JSON.stringify(planDocument(plan)))
  const [header = "", ...rows] = planTable(plan)
  yield* lines([styleOf(terminal).bold(header), ...rows])
  yield* line(styleOf(terminal).dim(planSummary(plan)))
})
