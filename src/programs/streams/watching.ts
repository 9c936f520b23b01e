/**
 * A command that shows live streams: as the owner of the data directory, or through the process that owns it.
 *
 * Responsibilities: which vendor is meant, the subscription, when to end. Queueing: that of the policy; what is printed waits for whoever reads
 * it, and the policy says what becomes of rows meanwhile.
 *
 * Hard cases: an owner that goes away ends the command with that word, since what was printed cannot be taken back and the stream not be gone on
 * with; a stream that ends says why, and the command ends with the last of them.
 */
import { Effect, Option, Stream } from "effect"
import { Argument, Flag } from "effect/cli"
import type { ConsumerPolicy } from "../../domain/streams/ConsumerPolicy.ts"
import { isRows, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey, StreamParams } from "../../domain/streams/StreamKey.ts"
import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import { MarketStreams } from "../../services/MarketStreams.ts"
import { Ended } from "../failure/Ended.ts"
import { withOwner } from "../withData.ts"
import { meantVendor, vendorFlag, vendorsHere, vendorsThere } from "./streamVendor.ts"

export const streamFlags = {
  symbols: Argument.String("symbol").pipe(
    Argument.withDescription("The symbols, in the vendor's spelling"),
    Argument.variadic({ min: 1 })
  ),
  vendor: vendorFlag,
  count: Flag.Int("count").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("End after so many rows"),
    Flag.filter(
      (count) => count > 0,
      () => "a whole number above 0"
    ),
    Flag.optional
  )
}

export interface Watched {
  /** Several: each symbol's in that order, one after the other. */
  readonly kind: StreamKind | ReadonlyArray<StreamKind>
  readonly symbols: ReadonlyArray<string>
  readonly vendor: Option.Option<string>
  readonly count: Option.Option<number>
  readonly policy?: ConsumerPolicy
  /** Of each stream. */
  readonly params?: StreamParams
  /** Ends when each stream has told all that there is at the beginning. */
  readonly once?: boolean
}

/** Given the keys in the order of the symbols, how what comes is shown, a piece at a time. */
type Show<E, R> = (
  keys: ReadonlyArray<StreamKey>
) => Effect.Effect<(items: ReadonlyArray<StreamItem>) => Effect.Effect<void, E, R>, E, R>

/** Runs until all streams have ended, or it is enough: `count` rows have come, or with `once` all that there is. */
export const watching = <E, R>(
  { count, kind, once = false, params, policy, symbols, vendor }: Watched,
  show: Show<E, R>
) => {
  const kinds = typeof kind === "string" ? [kind] : kind
  const streams = [...new Set(symbols)].flatMap((symbol) =>
    kinds.map((one) => ({ symbol, kind: one, ...(params === undefined ? {} : { params }) }))
  )
  const most = Option.getOrElse(count, () => Number.POSITIVE_INFINITY)

  const shown = Effect.fnUntraced(function* (name: string) {
    const market = yield* MarketStreams
    const selection = { vendor: name, streams }
    const print = yield* show(yield* market.keys(selection))
    let rows = 0
    const whole = new Set<number>()
    const isEnough = () => rows >= most || (once && whole.size === streams.length)
    yield* market.items(selection, policy === undefined ? {} : { policy }).pipe(
      Stream.chunks,
      Stream.takeUntil((items) => {
        for (const { event, stream } of items) {
          if (isRows(event) && !event.snapshot) rows += event.rows.length
          if (event._tag === "SnapshotComplete") whole.add(stream)
        }
        return isEnough()
      }),
      Stream.runForEach(print)
    )
    // All have ended, and not because it was enough.
    if (!isEnough()) return yield* new Ended({ code: 1 })
  })

  return withOwner(
    Effect.flatMap(vendorsHere, (vendors) => Effect.flatMap(meantVendor(vendor, vendors), shown)),
    (client) => Effect.flatMap(vendorsThere(client), (vendors) => Effect.flatMap(meantVendor(vendor, vendors), shown))
  )
}
