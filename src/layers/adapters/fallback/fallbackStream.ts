/**
 * One stream of a vendor, and synthetic rows while that one does not send.
 *
 * Responsibilities: keeps the vendor's stream open and passes on what it tells; begins to make rows up when it has told nothing since the
 * beginning, or since a gap, for so long; stops at its next word that it sends, or its next row.
 *
 * Queueing: none. What the vendor tells goes into the sink at once; synthetic rows go into it every quarter of a second.
 *
 * Hard cases: rows of the vendor that come before it has said that it sends (they end what is made up, and the gap); what was made up lies
 * where the vendor's rows are missing, so it is told as a gap of its own when they come again, and nobody takes it for a tape; a vendor that
 * refuses for good (the stream ends: what it will never send is not made up); a second gap while rows are made up (the first one goes on).
 */
import { Clock, Deferred, Duration, Effect, FiberHandle, type Scope } from "effect"
import type { StreamKey } from "../../../domain/streams/StreamKey.ts"
import type { StreamRow } from "../../../domain/streams/StreamRow.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import { VendorError } from "../../../services/Adapter.ts"
import type { StreamCapability, StreamSink, UpstreamEvent } from "../../../services/StreamCapability.ts"
import { isPassing } from "../../jobs/backfill/passing.ts"
import { forkAloud } from "../../streams/forkAloud.ts"
import * as SyntheticTape from "./SyntheticTape.ts"

export interface FallbackOptions {
  /** Milliseconds without the vendor before rows are made up. */
  readonly after: number
  readonly seed: number
  /** Rows a second, on average. */
  readonly rate: number
}

type Ended = Extract<UpstreamEvent, { readonly _tag: "Closed" }>
type DataTypeTold = Extract<UpstreamEvent, { readonly _tag: "DataType" }>

/** Milliseconds between two looks at the synthetic market, and before a stream that has ended is opened again. */
const step = 250
const pause = 5_000

/** A price to go on from. */
const priceOf = (row: StreamRow): number | null => {
  if ("last" in row) return row.last ?? row.bid ?? row.ask
  return "price" in row ? row.price : null
}

const isSynthetic = (kind: StreamKey["kind"]): kind is SyntheticTape.SyntheticKind =>
  kind === "quotes" || kind === "trades"

/** Runs until the scope closes. `real`: the stream as the vendor knows it. */
export const fallbackStream = Effect.fnUntraced(function* (
  source: StreamCapability,
  real: StreamKey,
  { after, rate, seed }: FallbackOptions,
  sink: StreamSink
): Effect.fn.Return<void, never, Scope.Scope> {
  const { kind, symbol } = real
  const clock = yield* Clock.Clock
  const making = yield* FiberHandle.makeRuntime<never>()
  let dataType: DataTypeTold = { _tag: "DataType", dataType: "live" }
  let waiting = false
  let madeUpFrom: EpochMillis | null = null
  let near: number | null = null

  const makeUp = Effect.fnUntraced(function* (synthetic: SyntheticTape.SyntheticKind) {
    yield* Effect.sleep(Duration.millis(after))
    let from = clock.currentTimeMillisUnsafe()
    madeUpFrom = from
    const tape = SyntheticTape.make({ seed, rate }, symbol, Math.floor(from / 1_000), near)
    sink.event({ _tag: "DataType", dataType: "simulated" })
    sink.event({ _tag: "Started", at: from })
    yield* Effect.logWarning(`${real.vendor} does not send ${kind} of ${symbol}: what is told from now on is made up`)
    for (;;) {
      yield* Effect.sleep(Duration.millis(step))
      const end = clock.currentTimeMillisUnsafe()
      sink.rows(tape.rowsIn(synthetic, { start: from, end }))
      from = end
    }
  })

  const awaitVendor = () => {
    if (waiting || !isSynthetic(kind)) return
    waiting = true
    making(makeUp(kind))
  }

  /** The vendor sends; what was made up is none of its own. */
  const back = () => {
    if (!waiting) return
    waiting = false
    making(Effect.void)
    if (madeUpFrom === null) return
    sink.event({
      _tag: "Gap",
      from: madeUpFrom,
      reason: `what was told since then was made up; ${real.vendor} sends again`
    })
    sink.event(dataType)
    madeUpFrom = null
  }

  const lost = (event: Extract<UpstreamEvent, { readonly _tag: "Gap" }>) => {
    if (madeUpFrom === null) sink.event(event)
    awaitVendor()
  }

  const passing = (ended: Deferred.Deferred<Ended>): StreamSink => {
    const rows = (some: ReadonlyArray<StreamRow>) => {
      const last = some.at(-1)
      if (last === undefined) return
      back()
      near = priceOf(last) ?? near
      sink.rows(some)
    }
    return {
      row: (row) => rows([row]),
      rows,
      event: (event) => {
        switch (event._tag) {
          case "Started":
          case "Resumed":
            back()
            sink.event(event)
            break
          case "Gap":
            lost(event)
            break
          case "DataType":
            dataType = event
            if (madeUpFrom === null) sink.event(event)
            break
          case "Closed":
            Deferred.doneUnsafe(ended, Effect.succeed(event))
            break
          default:
            if (madeUpFrom === null) sink.event(event)
        }
      },
      waiting: () => sink.waiting?.() ?? 0
    }
  }

  const attempt = Effect.scoped(
    Effect.gen(function* () {
      const ended = Deferred.makeUnsafe<Ended>()
      yield* source.open(real, passing(ended))
      return yield* Deferred.await(ended)
    })
  ).pipe(
    Effect.catch(({ reason }) => Effect.succeed<Ended>({ _tag: "Closed", retryable: isPassing(reason), cause: reason }))
  )

  const keeping = Effect.gen(function* () {
    for (;;) {
      const ended = yield* attempt
      if (!ended.retryable) {
        making(Effect.void)
        return sink.event(ended)
      }
      const { message } = new VendorError({ vendor: real.vendor, reason: ended.cause })
      lost({ _tag: "Gap", from: null, reason: message })
      yield* Effect.sleep(Duration.millis(pause))
    }
  })
  awaitVendor()
  yield* forkAloud(keeping, sink, `a stream of ${real.vendor}`)
})
