import { Context, Effect } from "effect"

/**
 * Places in the write path where a process may die, in their order: inside the archive (`beforeBytes` to `rowWritten`), when a
 * response and its bytes are durable (`afterBytes`, `acknowledged`), when the session has it (`afterResponse`), between the rows
 * and the coverage of a commit (`midCommit`) and after it (`afterCommit`); when an operation on a series is recorded and not done
 * (`operationRecorded`), and before a series that was rebuilt takes the place of the old one (`midRebuild`); when what is to be sent is recorded and has not gone
 * out (`beforeSend`), and when the vendor has said what came of it (`afterSend`). Tests and the environment (`TAPESTRY_CRASH_POINT`, read by the CLI) put
 * something here; by default reaching one costs nothing and does nothing.
 */
export type FaultPointName =
  | "beforeBytes"
  | "bytesWritten"
  | "renamed"
  | "rowWritten"
  | "acknowledged"
  | "afterBytes"
  | "afterResponse"
  | "midCommit"
  | "afterCommit"
  | "upkeep"
  | "operationRecorded"
  | "midRebuild"
  | "beforeSend"
  | "afterSend"

/** What happens at a fault point; must be synchronous, so that it can sit inside a transaction. */
export const FaultPoint = Context.Reference<(point: FaultPointName) => void>("tapestry/FaultPoint", {
  defaultValue: () => () => {}
})

export const reached = (point: FaultPointName): Effect.Effect<void> => Effect.map(FaultPoint, (act) => act(point))
