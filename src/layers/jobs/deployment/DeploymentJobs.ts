/**
 * Jobs that change the deployment: `migrate`, `retention`, `compress`, `refresh`.
 *
 * Responsibilities: what each does, step by step, over the control plane. Queueing: that of the jobs; the control plane has one change at a
 * time. Hard cases: whatever is begun anew after a crash may have been done before, and then finds nothing to do.
 */
import { Clock, Effect, Layer, Schema } from "effect"
import { CompressTask, RefreshTask, RetentionTask } from "../../../domain/DeploymentTask.ts"
import { derivedTimeframes } from "../../../domain/derivedTimeframes.ts"
import { type JobConfiguration, type JobProgress, nothingDone } from "../../../domain/Job.ts"
import { RecordKind } from "../../../domain/records/RecordKind.ts"
import { ControlPlane, Migrated } from "../../../services/ControlPlane.ts"
import { InvalidJob, JobFailure, JobQueue, type JobType } from "../../../services/JobQueue.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import { Dropped, type Policy, type Retention } from "../../../services/StorePolicies.ts"
import { chunkedTables } from "../../market/postgres/timescale/chunkedTables.ts"

/** What may succeed when it is tried again. */
const passing: ReadonlySet<string> = new Set(["StoreUnavailable", "StoreRetryable", "StoreTimeout", "StoreFull"])

const asFailure = ({ message, reason }: MarketStoreError) =>
  new JobFailure({ message, passing: passing.has(reason._tag) })

/** They are about the store and no vendor. */
const configuration: JobConfiguration = { provider: "store", mode: "live", symbols: [], range: null }

const reader =
  <A>(type: string, schema: Schema.ConstraintCodec<A, unknown>) =>
  (payload: Schema.Json) =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema)(payload, { onExcessProperty: "error" }),
      (error) => new InvalidJob({ message: `the payload of ${type}: ${error.message}` })
    )

const nothing = Schema.Struct({})
const readMigrate = reader("migrate", nothing)
const readRefresh = reader("refresh", RefreshTask)
const readRetention = reader("retention", RetentionTask)
const tables: ReadonlySet<string> = new Set(chunkedTables.map(({ table }) => table))
const readCompress = Effect.fnUntraced(function* (payload: Schema.Json) {
  const task = yield* reader("compress", CompressTask)(payload)
  if (tables.has(task.table)) return task
  const message = `${task.table} is no table of rows; there are: ${[...tables].join(", ")}`
  return yield* new InvalidJob({ message })
})

const invalid = ({ message }: InvalidJob) => new JobFailure({ message, passing: false })

const kinds: ReadonlyArray<Retention["kind"]> = ["bar", ...RecordKind.literals]

/** What a policy of the database drops, and at which age; null for one that is no retention. */
const retentionOf = ({ action, afterMillis, of }: Policy): { readonly of: Retention; readonly age: number } | null => {
  const [name, timeframe = null] = of.split(" ")
  const kind = kinds.find((known) => known === name)
  return action !== "retention" || afterMillis === null || kind === undefined
    ? null
    : { of: { kind, timeframe }, age: afterMillis }
}

const none: JobProgress = { done: 0, of: 0, rows: 0, requests: 0 }

const make = Effect.gen(function* () {
  const control = yield* ControlPlane

  const migrate: JobType = {
    name: "migrate",
    adminOnly: true,
    read: (payload) => Effect.as(readMigrate(payload), configuration),
    run: Effect.fn("Migrate.run")(function* ({ progress, step }) {
      const { applied } = yield* step("migrate", Migrated, Effect.mapError(control.migrate, asFailure))
      yield* progress({ ...none, done: applied.length, of: applied.length })
      return { outcome: nothingDone }
    })
  }

  /** A store without TimescaleDB has it no more when it is asked again. */
  const policiesOf = Effect.gen(function* () {
    const found = yield* Effect.mapError(control.policies, asFailure)
    if (found !== null) return found
    const message = "that needs TimescaleDB, which this store has not"
    return yield* new JobFailure({ message, passing: false })
  })

  /** What a job is to drop: what its payload says, or what the policies of the database say. */
  const wanted = Effect.fnUntraced(function* ({ kind, olderThanMillis: age, timeframe }: RetentionTask) {
    if (kind !== undefined && age !== undefined) return [{ of: { kind, timeframe: timeframe ?? null }, age }]
    const { policies } = yield* policiesOf
    const found = policies.map(retentionOf).filter((policy) => policy !== null)
    if (found.length > 0) return found
    const message = "no kind has a retention: tapestry store retention set, or say kind and olderThanMillis"
    return yield* new JobFailure({ message, passing: false })
  })

  const retention: JobType = {
    name: "retention",
    adminOnly: true,
    read: (payload) => Effect.as(readRetention(payload), configuration),
    run: Effect.fn("Retention.run")(function* ({ job, progress, step }) {
      const policies = yield* wanted(yield* Effect.mapError(readRetention(job.payload), invalid))
      // The instant of the job and not of the step, so that an attempt that goes on drops what it had begun to.
      const now = job.createdAt
      let rows = 0
      for (const [index, { age, of }] of policies.entries()) {
        const dropped = yield* step(
          `${of.kind} ${of.timeframe ?? ""} ${age}`,
          Dropped,
          Effect.mapError(control.retain(of, now - age), asFailure)
        )
        rows += dropped.rows
        yield* progress({ ...none, done: index + 1, of: policies.length, rows })
      }
      return { outcome: { ...nothingDone, rows } }
    })
  }

  const compress: JobType = {
    name: "compress",
    adminOnly: true,
    read: (payload) => Effect.as(readCompress(payload), configuration),
    run: Effect.fn("Compress.run")(function* ({ job, progress, step }) {
      const { olderThanMillis, table } = yield* Effect.mapError(readCompress(job.payload), invalid)
      yield* policiesOf
      const before = (yield* Clock.currentTimeMillis) - olderThanMillis
      const chunks = yield* step("compress", Schema.Int, Effect.mapError(control.compress(table, before), asFailure))
      yield* progress({ ...none, done: chunks, of: chunks })
      return { outcome: nothingDone }
    })
  }

  const refresh: JobType = {
    name: "refresh",
    adminOnly: true,
    read: (payload) => Effect.as(readRefresh(payload), configuration),
    run: Effect.fn("Refresh.run")(function* ({ job, progress, step }) {
      const { range = null, timeframe } = yield* Effect.mapError(readRefresh(job.payload), invalid)
      const { aggregates } = yield* policiesOf
      const made = derivedTimeframes.filter(
        (known) => (timeframe ?? known) === known && aggregates.some((one) => one.timeframe === known)
      )
      if (made.length === 0) {
        const message = `no bars ${timeframe === undefined ? "" : `of ${timeframe} `}are made: tapestry store aggregates add`
        return yield* new JobFailure({ message, passing: false })
      }
      for (const [index, one] of made.entries()) {
        yield* step(one, Schema.Void, Effect.mapError(control.refresh(one, range), asFailure))
        yield* progress({ ...none, done: index + 1, of: made.length })
      }
      return { outcome: nothingDone }
    })
  }

  const queue = yield* JobQueue
  yield* Effect.forEach([migrate, retention, compress, refresh], queue.register, { discard: true })
})

export const layer = Layer.effectDiscard(make)
