/** A recorded session as a vendor that streams: its streams begin when they are opened, and go as they went. */
import { Duration, Effect, type Scope } from "effect"
import { canonical, type StreamKey, type StreamQuery } from "../../domain/streams/StreamKey.ts"
import { StreamKind } from "../../domain/streams/StreamKind.ts"
import type { Timeframe } from "../../domain/Timeframe.ts"
import { unlimited } from "../../domain/VendorLimits.ts"
import { type Adapter, NotFound, Unavailable, VendorError } from "../../services/Adapter.ts"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { StreamCapability } from "../../services/StreamCapability.ts"
import { forkAloud } from "../streams/forkAloud.ts"
import { type RecordedSession, type RecordedStreamFiles, recordedSession } from "./RecordedSession.ts"
import type { UnreadableSegment } from "./readFrames.ts"
import { replayStream } from "./replayStream.ts"

export interface ReplayOptions {
  readonly name: string
  readonly description: string
  readonly session: number
  /** How many seconds of the recording pass in one; infinite: no pause at all. */
  readonly speed: number
  /** Opened when the first stream is asked for. */
  readonly archive: Effect.Effect<ProvenanceStore["Service"], { readonly message: string }>
}

const nameOf = ({ kind, symbol, timeframe }: StreamKey): string =>
  `${kind} ${symbol}${timeframe === null ? "" : ` ${timeframe}`}`

export const make = Effect.fnUntraced(function* ({
  archive: opening,
  description,
  name,
  session: id,
  speed
}: ReplayOptions): Effect.fn.Return<Adapter, never, Scope.Scope> {
  const unavailable = ({ message }: { readonly message: string }) =>
    new VendorError({ vendor: name, reason: new Unavailable({ message }) })
  let lateness = 0
  let timeframes: ReadonlyArray<Timeframe> = []
  const loaded = yield* Effect.cached(
    Effect.gen(function* () {
      const archive = yield* opening
      const loading: Effect.Effect<RecordedSession, ProvenanceStoreError | UnreadableSegment> = recordedSession(
        archive,
        id
      )
      const session = yield* loading
      lateness = Math.max(0, ...session.streams.map((stream) => stream.opening.lateness))
      const bars = session.streams.map((stream) => stream.opening.stream.timeframe)
      timeframes = [...new Set(bars.filter((timeframe) => timeframe !== null))]
      return { archive, session }
    }).pipe(Effect.mapError(unavailable))
  )
  const asked = (stream: StreamKey): StreamKey => ({ ...stream, vendor: name })

  const found = Effect.fnUntraced(function* (matches: (stream: StreamKey) => boolean, what: string) {
    const { session } = yield* loaded
    const stream = session.streams.find((one) => matches(one.opening.stream))
    if (stream !== undefined) return stream
    const has = session.streams.map((one) => nameOf(one.opening.stream)).join(", ")
    const message = `session ${id} has no ${what}; it has ${has}`
    return yield* new VendorError({ vendor: name, reason: new NotFound({ message }) })
  })

  const stream: StreamCapability = {
    kinds: StreamKind.literals,
    // Known when a key is, and asked for by nobody before.
    get timeframes() {
      return timeframes
    },
    get lateness() {
      return lateness
    },
    key: ({ kind, params, symbol, timeframe }: StreamQuery) =>
      Effect.map(
        found(
          (one) =>
            one.kind === kind &&
            (one.symbol === symbol || one.symbol === symbol.trim().toUpperCase()) &&
            (timeframe === undefined || one.timeframe === timeframe) &&
            (params === undefined || canonical({ ...one, params }) === canonical(one)),
          `${kind} of ${symbol}`
        ),
        ({ opening: { stream } }) => asked(stream)
      ),
    open: Effect.fn("Replay.open")(function* (key, sink) {
      const { archive, session } = yield* loaded
      const files: RecordedStreamFiles = yield* found(
        (one) => canonical(asked(one)) === canonical(key),
        `stream ${nameOf(key)}`
      )
      yield* forkAloud(replayStream(archive, session, files, speed, sink), sink, `the replay of session ${id}`, false)
    }),
    silence: () => null,
    history: () => ({ _tag: "told", delay: 0, overlap: 0 }),
    series: () => null
  }

  return {
    name,
    type: "replay",
    description,
    account: name,
    limits: unlimited,
    stream,
    symbols: Effect.map(loaded, ({ session }) => [...new Set(session.streams.map((one) => one.opening.stream.symbol))]),
    ping: Effect.map(loaded, ({ session }) => ({
      ok: true,
      elapsed: Duration.zero,
      detail: `${session.streams.length} streams of ${session.vendor}`
    }))
  }
})
