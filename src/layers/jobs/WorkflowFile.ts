/**
 * `<data-dir>/workflows.sqlite`: what an attempt has done so far, step by step, kept by effect's workflows. Its name is a runner's: whoever
 * has the file goes on with what was begun from it.
 */
import { Effect, type Scope } from "effect"
import { JobQueueError } from "../../services/JobQueue.ts"
import { fromDatabase } from "../market/storeError.ts"
import { open, type SqliteDatabase, type SqliteFailure } from "../sqlite/SqliteDatabase.ts"

export interface WorkflowFile {
  readonly runner: string
  readonly database: SqliteDatabase
}

export const asJobError = (error: SqliteFailure): JobQueueError => new JobQueueError({ reason: fromDatabase(error) })

/** Opens the file for as long as the scope lives. */
export const openWorkflowFile = (filename: string): Effect.Effect<WorkflowFile, JobQueueError, Scope.Scope> =>
  Effect.gen(function* () {
    const database = yield* open({ filename, synchronous: "NORMAL" })
    const runner = yield* database.write("name of the runner", (db) => {
      db.prepare("create table if not exists runner (name text not null) strict").run()
      const known = db.prepare("select name from runner").get()?.[0]
      if (typeof known === "string") return known
      const name = globalThis.crypto.randomUUID()
      db.prepare("insert into runner values (?)").run(name)
      return name
    })
    return { runner, database }
  }).pipe(Effect.mapError(asJobError))
