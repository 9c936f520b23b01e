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
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
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
  readonly kind: StreamKind
  readonly symbols: ReadonlyArray<string>
  readonly vendor: Option.Option<string>
  readonly count: Option.Option<number>
  readonly policy?: ConsumerPolicy
}

/** Given the keys in the order of the symbols, how what comes is shown, a piece at a time. */
type Show<E, R> = (
  keys: ReadonlyArray<StreamKey>
) => Effect.Effect<(items: ReadonlyArray<StreamItem>) => Effect.Effect<void, E, R>, E, R>

/** Runs until all streams have ended, or `count` rows have come. */
export const watching = <E, R>({ count, kind, policy, symbols, vendor }: Watched, show: Show<E, R>) => {
  const streams = [...new Set(symbols)].map((symbol) => ({ symbol, kind }))
  const most = Option.getOrElse(count, () => Number.POSITIVE_INFINITY)

  const shown = Effect.fnUntraced(function* (name: string) {
    const market = yield* MarketStreams
    const selection = { vendor: name, streams }
    const print = yield* show(yield* market.keys(selection))
    let rows = 0
    yield* market.items(selection, policy === undefined ? {} : { policy }).pipe(
      Stream.chunks,
      Stream.takeUntil((items) => {
        for (const { event } of items) if (isRows(event) && !event.snapshot) rows += event.rows.length
        return rows >= most
      }),
      Stream.runForEach(print)
    )
    // All have ended, and not because it was enough.
    if (rows < most) return yield* new Ended({ code: 1 })
  })

  return withOwner(
    Effect.flatMap(vendorsHere, (vendors) => Effect.flatMap(meantVendor(vendor, vendors), shown)),
    (client) => Effect.flatMap(vendorsThere(client), (vendors) => Effect.flatMap(meantVendor(vendor, vendors), shown))
  )
}
