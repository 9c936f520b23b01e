/**
 * The one file between effect/workflow and effect/cluster and the rest: an attempt at a job as a workflow whose steps are activities,
 * on a single runner over a SQLite file of its own. Loaded when the first job is due.
 *
 * Responsibilities: executions by the name `<job>-<attempt>`; steps whose results outlive the process; ending an execution early;
 * forgetting one that is over, since nothing else removes its rows.
 *
 * Queueing: none; who begins an execution is the dispatcher.
 *
 * Hard cases: an execution that a dead process had begun is delivered again as soon as the file is open, before the dispatcher has had its
 * say, so it waits until it is begun here, too. Going down, a step under way has a moment to end, and is put aside then, as executions that
 * were not begun are at once: one that was merely cut off would hold the process up for as long as it may take to end. A result that is there
 * already is the answer of an execution of the same name. Two processes on one file would run everything twice: the owner's lock keeps the
 * second away.
 */
import {
  Cause,
  ConfigProvider,
  Context,
  Deferred,
  type Duration,
  Effect,
  Exit,
  Layer,
  References,
  Schema,
  type Scope
} from "effect"
import * as ClusterWorkflowEngine from "effect/cluster/ClusterWorkflowEngine"
import * as EntityAddress from "effect/cluster/EntityAddress"
import * as EntityId from "effect/cluster/EntityId"
import * as EntityType from "effect/cluster/EntityType"
import { MessageStorage } from "effect/cluster/MessageStorage"
import { Sharding } from "effect/cluster/Sharding"
import * as SingleRunner from "effect/cluster/SingleRunner"
import * as Digest from "effect/crypto/Digest"
import { SqlClient } from "effect/sql/SqlClient"
import * as Activity from "effect/workflow/Activity"
import * as Workflow from "effect/workflow/Workflow"
import { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { JobId, JobOutcome, nothingDone } from "../../domain/Job.ts"
import { type JobEnding, JobFailure, type JobSteps } from "../../services/JobQueue.ts"
import { asJobError, type WorkflowFile } from "./WorkflowFile.ts"

const Ending = Schema.Struct({
  outcome: JobOutcome,
  failure: Schema.optionalKey(
    Schema.Struct({
      message: Schema.String,
      passing: Schema.Boolean,
      retryAfter: Schema.optionalKey(Schema.Finite)
    })
  )
})

const Attempt = Workflow.make("Job", {
  payload: { job: JobId, attempt: Schema.Int },
  idempotencyKey: ({ attempt, job }) => executionOf(job, attempt),
  success: Ending,
  error: JobFailure
})

const executionOf = (job: JobId, attempt: number): string => `${job}-${attempt}`

export interface Execution {
  readonly job: JobId
  readonly attempt: number
}

const parse = (execution: unknown): ReadonlyArray<Execution> => {
  const [, job, attempt] = /^([0-9a-f-]{36})-(\d+)$/.exec(String(execution)) ?? []
  return job === undefined ? [] : [{ job: JobId.make(job), attempt: Number(attempt) }]
}

/** How an execution ended; `interrupted`: early, because somebody wanted that; `broken`: by a mistake of ours. */
export type Executed =
  | { readonly _tag: "ended"; readonly ending: JobEnding }
  | { readonly _tag: "interrupted" }
  | { readonly _tag: "broken"; readonly message: string }

export interface JobEngine {
  readonly execute: (execution: Execution) => Effect.Effect<Executed>
  readonly interrupt: (execution: Execution) => Effect.Effect<void>
  readonly forget: (execution: Execution) => Effect.Effect<void>
  /** Those of which something is kept. */
  readonly kept: Effect.Effect<ReadonlyArray<Execution>>
}

export interface EngineOptions {
  /** What an execution does. */
  readonly body: (execution: Execution, step: JobSteps["step"]) => Effect.Effect<JobEnding, JobFailure>
  /** Waits until this process has begun the execution. */
  readonly begun: (execution: Execution) => Effect.Effect<void>
  /** Done when the process goes down. */
  readonly closing: Deferred.Deferred<void>
}

/** How long a step that is under way may take to end when the process does: what it asked for may have been paid for. */
const graceOfStep = "3 seconds"
/** Longer, by what it takes to put executions aside. */
const termination = "5 seconds"

const entityTypes = ["Workflow/Job", "Workflow/-/DurableClock"]

const outcomeOf = (exit: Exit.Exit<JobEnding, JobFailure>): Executed => {
  if (Exit.isSuccess(exit)) return { _tag: "ended", ending: exit.value }
  const failure = exit.cause.reasons.find(Cause.isFailReason)?.error
  if (failure !== undefined) {
    const { message, passing } = failure
    return { _tag: "ended", ending: { outcome: nothingDone, failure: { message, passing } } }
  }
  return Cause.hasInterruptsOnly(exit.cause)
    ? { _tag: "interrupted" }
    : { _tag: "broken", message: String(Cause.squash(exit.cause)) }
}

export const makeEngine = (
  file: WorkflowFile,
  { begun, body, closing }: EngineOptions
): Effect.Effect<JobEngine, never, Scope.Scope> =>
  Effect.gen(function* () {
    /** Puts the execution aside, to be gone on with by whoever resumes it. */
    const aside = Effect.flatMap(WorkflowInstance, Workflow.suspend)
    const unlessClosing = <A, E, R>(effect: Effect.Effect<A, E, R>, grace: Duration.Input = 0) =>
      Effect.suspend(() =>
        Deferred.isDoneUnsafe(closing)
          ? aside
          : Effect.raceFirst(
              effect,
              Deferred.await(closing).pipe(
                Effect.andThen(Effect.sleep(grace)),
                Effect.flatMap(() => aside)
              )
            )
      )
    const attempts = Attempt.toLayer(({ attempt, job }) =>
      Effect.gen(function* () {
        yield* unlessClosing(begun({ job, attempt }))
        const context = yield* Effect.context<Effect.Services<Activity.Activity>>()
        return yield* body({ job, attempt }, (name, result, effect) =>
          Effect.provideContext(
            Activity.make({ name, success: result, error: JobFailure, execute: unlessClosing(effect, graceOfStep) }),
            context
          )
        )
      })
    )
    const storage = Layer.succeed(SqlClient, file.database.client)
    const runner = SingleRunner.layer({
      // The owner's lock is the lock of every shard.
      runnerStorage: "memory",
      shardingConfig: { entityTerminationTimeout: termination }
    }).pipe(
      Layer.provide([storage, Digest.layerWebCrypto]),
      // It warns of its own end: that nobody else is there to go on. What executions log is not said by it.
      Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error")),
      // Whatever the environment says of clusters is not meant for this one.
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({}))),
      Layer.orDie
    )
    const context = yield* Layer.build(
      attempts.pipe(Layer.provideMerge(ClusterWorkflowEngine.layer), Layer.provideMerge(runner))
    )
    const engine = Context.get(context, WorkflowEngine)
    const messages = Context.get(context, MessageStorage)
    const sharding = Context.get(context, Sharding)

    return {
      execute: (execution) => {
        const executionId = executionOf(execution.job, execution.attempt)
        return engine
          .resume(Attempt, executionId)
          .pipe(
            Effect.andThen(engine.execute(Attempt, { executionId, payload: execution, discard: false })),
            Effect.provideContext(context),
            Effect.exit,
            Effect.map(outcomeOf)
          )
      },
      interrupt: ({ attempt, job }) => engine.interruptUnsafe(Attempt, executionOf(job, attempt)),
      forget: ({ attempt, job }) => {
        const entityId = EntityId.make(executionOf(job, attempt))
        const shardId = sharding.getShardId(entityId, "default")
        return Effect.forEach(
          entityTypes,
          (type) => messages.clearAddress(EntityAddress.make({ entityType: EntityType.make(type), entityId, shardId })),
          { discard: true }
        ).pipe(Effect.catch((error) => Effect.logWarning(`what is kept of job ${job} stays`, error)))
      },
      kept: file.database
        .read("executions", (db) => db.prepare("select distinct entity_id from cluster_messages").all())
        .pipe(
          Effect.map((rows) => rows.flatMap(([id]) => parse(id))),
          Effect.mapError(asJobError),
          Effect.orDie
        )
    }
  })
