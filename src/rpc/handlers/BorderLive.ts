/**
 * What happens around every call on the server: it gets a name, is counted, and leaves one line in the log.
 *
 * Everything that runs for a call is logged with `call` (its correlation id), `procedure`, and `tenant` where it names one, also the vendor's answers that it
 * caused: work that a call starts for others too (a flight) goes on under the name of the call that started it. A defect becomes
 * InternalError here, where its log line still carries that name; what it was is in that line only.
 */
import { Cause, Clock, Context, Effect, Exit, Layer, LogLevel, References } from "effect"
import { RpcSchema } from "effect/rpc"
import * as Metrics from "../../services/Metrics.ts"
import { Border, InternalError, tenantHeader } from "../contract/Border.ts"
import { CallTally, type Tally } from "./CallTally.ts"
import { correlationId } from "./correlation.ts"
import { Draining } from "./Draining.ts"
import { errorPath } from "./errorPath.ts"
import { incident } from "./incident.ts"

/**
 * Milliseconds. Calls that end within this are logged at Debug, others at Info, and mistakes of ours at Info however quick they
 * were: the quick ones are many and alike, and a line costs a tenth of what serving one stored bar costs.
 */
const quick = 100

interface Ended {
  readonly metric: Metrics.CallOutcome
  /** For the log: `ok`, the error's tags, `defect`, `interrupted`, or `cut`. */
  readonly outcome: string
}

const endOf = (exit: Exit.Exit<unknown, unknown>, draining: boolean): Ended => {
  if (Exit.isSuccess(exit)) return { metric: "ok", outcome: "ok" }
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  if (failed !== undefined) {
    const failure = failed.error
    return { metric: failure instanceof InternalError ? "failed" : "refused", outcome: errorPath(failure) }
  }
  return draining ? { metric: "cut", outcome: "cut" } : { metric: "interrupted", outcome: "interrupted" }
}

interface Named {
  readonly id: string
  readonly procedure: string
  readonly isStream: boolean
  /** None: that of the server. */
  readonly tenant: string | undefined
}

/** One line and one count at the end of a call. `began` is nanoseconds of the monotonic clock. */
const end = (
  { isStream, procedure }: Named,
  began: bigint,
  rows: number,
  exit: Exit.Exit<unknown, unknown>
): Effect.Effect<void> =>
  Effect.contextWith((context) => {
    const elapsed = Number(Context.get(context, Clock.Clock).monotonicTimeNanosUnsafe() - began) / 1e6
    if (isStream) Metrics.streamsOpen.modifyUnsafe(-1, context)
    Metrics.callSeconds(procedure).updateUnsafe(elapsed / 1_000, context)
    const record = (draining: boolean) => {
      const { metric, outcome } = endOf(exit, draining)
      Metrics.calls(procedure, metric).updateUnsafe(1, context)
      // What clients do wrong, and that they leave, is their own affair: a few of them would fill the log. The metrics count it.
      const isPlain = metric === "interrupted" || (metric !== "failed" && elapsed < quick)
      const level = isPlain ? "Debug" : "Info"
      if (LogLevel.isLessThan(level, Context.get(context, References.MinimumLogLevel))) return Effect.void
      return Effect.annotateLogs(Effect.logWithLevel(level)("tapestry.call"), {
        outcome,
        elapsed: Math.round(elapsed * 10) / 10,
        ...(isStream ? { rows } : {})
      })
    }
    return Exit.isSuccess(exit) ? record(false) : Effect.flatMap(Effect.flatten(Draining), record)
  })

const around = <A, E>(named: Named, call: Effect.Effect<A, E>): Effect.Effect<A, E | InternalError> =>
  Effect.contextWith((context) => {
    const began = Context.get(context, Clock.Clock).monotonicTimeNanosUnsafe()
    const tally: Tally = { rows: 0 }
    const guarded = Effect.catchCause(
      call,
      (cause): Effect.Effect<never, E | InternalError> =>
        Cause.hasDies(cause) ? Effect.flatMap(incident(cause), Effect.fail) : Effect.failCause(cause)
    )
    // In one step with the exit handler that takes it away again.
    if (named.isStream) Metrics.streamsOpen.modifyUnsafe(1, context)
    const ended = Effect.onExit(guarded, (exit) => end(named, began, tally.rows, exit))
    return Effect.annotateLogs(Effect.provideService(ended, CallTally, tally), {
      call: named.id,
      procedure: named.procedure,
      ...(named.tenant === undefined ? {} : { tenant: named.tenant })
    })
  })

const border: Border["Service"] = (call, { headers, rpc }) =>
  Effect.flatMap(correlationId(headers["x-correlation-id"]), (id) =>
    around(
      {
        id,
        procedure: rpc._tag,
        isStream: RpcSchema.isStreamSchema(rpc.successSchema),
        // A name, or the call would not have begun.
        tenant: headers[tenantHeader]
      },
      call
    )
  )

export const layer: Layer.Layer<Border> = Layer.succeed(Border, border)
