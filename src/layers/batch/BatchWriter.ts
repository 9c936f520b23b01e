/** Batches into the archive and the store, through a breaker, for as long as the store is away. */
import { Cause, Duration, Effect, Exit, Metric, Schedule } from "effect"
import { CircuitBreaker } from "effect/persistence"
import type { ResponseId } from "../../domain/Response.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import type { SessionId, SessionOutcome } from "../../domain/Session.ts"
import type { BatchRow, BatchStats } from "../../services/BatchProcessor.ts"
import { type ImportedRows, type ImportKind, Imports, type ImportsError } from "../../services/Imports.ts"
import * as Metrics from "../../services/Metrics.ts"
import { timed } from "../metrics/timed.ts"
import type { BatchOptions } from "./BatchOptions.ts"
import { mayPass } from "./mayPass.ts"
import type { Held } from "./RowBuffer.ts"

/** The one key of the breaker: there is one store. */
const store = "store"
/** Milliseconds until a breaker that lets a probe through is asked again. */
const probePause = 50
/** A probe is one batch and a connection, and producers wait for it when the store is back. */
const longestOpen = Duration.seconds(5)
/** Of the failures of one batch each such is told to the log. */
const warnEvery = 20

interface Writing {
  readonly kind: ImportKind
  readonly batch: ReadonlyArray<Held>
  /** Where the batch stands among the segments of its kind. */
  readonly offset: number
  /** Called for each try that failed and is followed by another one. */
  readonly retried: () => void
}

const breakerCodes: Readonly<Record<BatchStats["breaker"], number>> = { closed: 0, open: 1, "half-open": 2 }

const bySeries = (batch: ReadonlyArray<Held>): ReadonlyArray<ImportedRows> => {
  const groups = new Map<string, { readonly series: BatchRow["series"]; readonly rows: Array<BatchRow["row"]> }>()
  for (const { row, series } of batch) {
    const key = canonical(series)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { series, rows: [row] })
    else group.rows.push(row)
  }
  return [...groups.values()]
}

export const make = Effect.fnUntraced(function* (options: BatchOptions) {
  const imports = yield* Imports
  const cap = Duration.fromInputUnsafe(options.retryCap)
  const pauses = Schedule.exponential(options.retryBase).pipe(
    Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, cap))),
    Schedule.jittered
  )
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(options.breakerFailures),
    openDuration: Schedule.exponential(options.breakerOpenFor).pipe(
      Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, longestOpen)))
    ),
    onStoreError: "fail"
  })
  const state = { session: null as SessionId | null }

  const session = Effect.suspend(() =>
    state.session === null
      ? Effect.tap(imports.begin, (opened) =>
          Effect.sync(() => {
            state.session = opened
          })
        )
      : Effect.succeed(state.session)
  )

  const classify = (exit: Exit.Exit<unknown, ImportsError>): CircuitBreaker.Outcome => {
    // A mistake of ours says nothing of the store.
    if (Exit.isSuccess(exit) || Cause.hasDies(exit.cause)) return CircuitBreaker.success
    const error = Exit.findErrorOption(exit)
    return error._tag === "Some" && !mayPass(error.value) ? CircuitBreaker.success : CircuitBreaker.failure()
  }

  const breakerState: Effect.Effect<BatchStats["breaker"]> = Effect.map(
    Effect.orDie(breaker.state(store)),
    ({ _tag }) => (_tag === "Closed" ? "closed" : _tag === "Open" ? "open" : "half-open")
  )
  const showBreaker = Effect.flatMap(breakerState, (state) =>
    Metric.update(Metrics.batchCircuit(options.name), breakerCodes[state])
  )

  /** However long that takes; fails when it is refused for what is in it. */
  const written = <A>(kind: ImportKind, what: string, retried: () => void, writing: Effect.Effect<A, ImportsError>) => {
    const once = writing.pipe(
      timed(Metrics.sinkSeconds(kind)),
      Effect.onExit((exit) => Metric.update(Metrics.sinkWrites(kind, Exit.isSuccess(exit) ? "success" : "failure"), 1))
    )
    const admitted: Effect.Effect<Effect.Success<typeof once>, ImportsError> = breaker
      .execute(Effect.andThen(showBreaker, once), { key: store, classify })
      .pipe(
        Effect.catchIf(
          (error) => error instanceof CircuitBreaker.CircuitBreakerError,
          ({ reason }) =>
            Effect.andThen(
              Effect.sleep(reason._tag === "CircuitOpen" ? reason.retryAfter : Duration.millis(probePause)),
              Effect.suspend(() => admitted)
            )
        )
      )
    let failures = 0
    return Effect.onExit(admitted, () => showBreaker).pipe(
      Effect.tapError((error) =>
        Effect.suspend(() => {
          if (!mayPass(error)) return Effect.void
          retried()
          // Whoever is woken at night should find out here what the store says.
          return failures++ % warnEvery === 0
            ? Effect.logWarning(`${what} of ${options.name} cannot be stored, and are tried again: ${error.message}`)
            : Effect.void
        })
      ),
      Effect.retry({ schedule: pauses, while: mayPass })
    )
  }

  /** One batch into the archive and the store. */
  const write = ({ batch, kind, offset, retried }: Writing) => {
    const batches = bySeries(batch)
    const rows = Effect.flatMap(session, (opened) =>
      imports.rows(opened, { name: `${options.name}-${kind}-${opened}`, offset, kind, batches })
    )
    return written(kind, `${batch.length} ${kind} rows`, retried, rows)
  }

  /** What an archived answer says, into the store. */
  const project = (kind: ImportKind, response: ResponseId, retried: () => void) =>
    written(kind, `${kind} rows of response ${response}`, retried, imports.project(response))

  const end = (outcome: SessionOutcome): Effect.Effect<void> =>
    Effect.suspend(() =>
      state.session === null ? Effect.void : Effect.ignore(imports.end(state.session, outcome, null))
    )

  return { write, project, end, breaker: breakerState }
})
