/**
 * A recording of streams that is killed now and then, and begun again.
 *
 * Killed is what reaches the archive: from that instant on nothing that this recording does is written, as of a process that is gone, and all that
 * would end it in order fails. The streams live on, as those of a server in which somebody else records.
 */
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import type { StreamQuery } from "../../src/domain/streams/StreamKey.ts"
import type { TimeRange } from "../../src/domain/TimeRange.ts"
import * as RecorderLive from "../../src/layers/recording/RecorderLive.ts"
import { ArchiveUnavailable, ProvenanceStore, ProvenanceStoreError } from "../../src/services/ProvenanceStore.ts"
import { Recorder, type RecorderError, type RecordingEvent } from "../../src/services/Recorder.ts"

type Archive = ProvenanceStore["Service"]

const gone = new ProvenanceStoreError({ reason: new ArchiveUnavailable({ message: "the process was killed" }) })

/** A segment of trades without the one in its middle, unchanged where it has none: those at its ends are in others, too, or before what was asked for. */
const withoutRow = (body: Uint8Array): Uint8Array => {
  const lines = new TextDecoder().decode(body).split("\n")
  const rows = [...lines.keys()].filter((place) => JSON.parse(lines[place] || "{}").row?.price !== undefined)
  const place = rows[Math.floor(rows.length / 2)]
  return place === undefined ? body : new TextEncoder().encode(lines.toSpliced(place, 1).join("\n"))
}

/** An archive that loses a row of the third segment in which there is one. */
const losingRow = (archive: Archive): Archive => {
  let seen = 0
  return ProvenanceStore.of({
    ...archive,
    append: (response) => {
      const { body } = response
      if (!(body instanceof Uint8Array)) return archive.append(response)
      const less = withoutRow(body)
      return archive.append(less.length < body.length && ++seen === 3 ? { ...response, body: less } : response)
    }
  })
}

/** As the archive is to a process until that is killed. */
const until = (isDead: () => boolean, archive: Archive): Archive => {
  const alive = <A>(effect: Effect.Effect<A, ProvenanceStoreError>) =>
    Effect.suspend(() => (isDead() ? Effect.fail(gone) : effect))
  return ProvenanceStore.of({
    ...archive,
    openSession: (session) => alive(archive.openSession(session)),
    closeSession: (id, outcome, reason) => alive(archive.closeSession(id, outcome, reason)),
    openRequest: (request) => alive(archive.openRequest(request)),
    append: (response) => alive(archive.append(response)),
    answersOf: (series, after) => alive(archive.answersOf(series, after))
  })
}

/** What was told of one of the streams, over all recordings of it. */
export interface ToldStream {
  /** From when on it was to be recorded; null while it has not begun. */
  began: number | null
  /** What was told as unrepairable. */
  readonly missing: Array<TimeRange>
}

export interface Recording {
  readonly told: ReadonlyArray<ToldStream>
  readonly kills: () => number
  /** Rows that recordings said they had. */
  readonly rows: () => number
  /** Why a recording ended by itself, and what it left unstored. */
  readonly problems: () => ReadonlyArray<string>
  /** As SIGKILL would end it; the next one begins at once. */
  readonly kill: Effect.Effect<void>
  /** In order; done when all is stored. Somebody has to let time go on. */
  readonly end: Effect.Effect<void>
}

/** Begins at once, and is ended with the scope unless it was before. `losing`: it loses a row on purpose. */
export const record = Effect.fnUntraced(function* (streams: ReadonlyArray<StreamQuery>, losing: boolean) {
  const whole = yield* ProvenanceStore
  const archive = losing ? losingRow(whole) : whole
  const scope = yield* Effect.scope
  const told = streams.map((): ToldStream => ({ began: null, missing: [] }))
  const problems: Array<string> = []
  let kills = 0
  let rows = 0

  const hear = (event: RecordingEvent) => {
    if (event._tag === "Word") {
      const stream = told[event.stream]
      if (stream === undefined) return
      const word = event.event
      if (word._tag === "Started") stream.began ??= word.through
      if (word._tag === "Unrepairable") stream.missing.push({ start: word.from, end: word.to })
      if (word._tag === "Closed") problems.push(`recording: a stream ended: ${word.cause}`)
    }
    if (event._tag !== "Ended") return
    rows += event.kinds.reduce((sum, kind) => sum + kind.rows, 0)
    problems.push(...event.unstored.map((series) => `recording: not stored at its end: ${series}`))
  }

  const begin = Effect.fnUntraced(function* () {
    let dead = false
    const stop = yield* Deferred.make<void>()
    const mortal = Layer.succeed(
      ProvenanceStore,
      until(() => dead, archive)
    )
    const own = yield* Scope.fork(scope)
    const services = yield* Layer.build(Layer.fresh(Layer.provide(RecorderLive.layer, mortal))).pipe(Scope.provide(own))
    const run = Recorder.use((recorder) =>
      recorder.record({ vendor: "ibkr", streams }, { until: Deferred.await(stop) }).pipe(
        Stream.runForEach((event) =>
          Effect.sync(() => {
            if (!dead) hear(event)
          })
        )
      )
    ).pipe(Effect.provideContext(services))
    const fiber: Fiber.Fiber<void, RecorderError> = yield* Effect.forkIn(run, own, { startImmediately: true })
    return {
      stop: Effect.andThen(Deferred.succeed(stop, undefined), Fiber.await(fiber)),
      kill: Effect.gen(function* () {
        dead = true
        yield* Fiber.interrupt(fiber)
        yield* Scope.close(own, Exit.void)
      })
    }
  })

  let current = yield* begin()
  const recording: Recording = {
    told,
    kills: () => kills,
    rows: () => rows,
    problems: () => problems,
    kill: Effect.gen(function* () {
      kills++
      // Its end takes simulated time, in which it can do nothing any more.
      yield* Effect.forkIn(current.kill, scope, { startImmediately: true })
      current = yield* begin()
    }) as Effect.Effect<void>,
    end: Effect.gen(function* () {
      const exit = yield* current.stop
      if (Exit.isFailure(exit)) problems.push(`recording: it failed: ${Cause.pretty(exit.cause)}`)
    })
  }
  return recording
})
