import { Effect, Stream } from "effect"
import type { StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import { Unavailable } from "../../services/Adapter.ts"
import type { MarketStreamsError } from "../../services/MarketStreams.ts"
import type { StreamCapability } from "../../services/StreamCapability.ts"
import { BuiltBars } from "./BuiltBars.ts"
import { forkAloud } from "./forkAloud.ts"

/**
 * The longest timeframe that a vendor streams and of which bars of this one can be made: those of a day and longer follow sessions and not the
 * clock, and are made of none. Null where the vendor streams it itself, or there is none.
 */
export const builtFrom = (
  { timeframes }: Pick<StreamCapability, "timeframes">,
  timeframe: Timeframe.Timeframe
): Timeframe.Timeframe | null => {
  if (timeframes.includes(timeframe) || !Timeframe.isIntraday(timeframe)) return null
  const length = Timeframe.maxMillis(timeframe)
  const parts = timeframes.filter((shorter) => {
    const part = Timeframe.maxMillis(shorter)
    return Timeframe.isIntraday(shorter) && part < length && length % part === 0
  })
  return parts.reduce<Timeframe.Timeframe | null>(
    (longest, part) => (longest === null || Timeframe.maxMillis(part) > Timeframe.maxMillis(longest) ? part : longest),
    null
  )
}

/** A vendor's streams with bars of other timeframes, made of a stream that `items` is of. */
export const builtStream = (
  stream: StreamCapability,
  items: (of: StreamKey) => Stream.Stream<StreamItem, MarketStreamsError>
): StreamCapability => ({
  ...stream,
  lateness: 0,
  silence: () => null,
  // The stream that they are made of has its gaps repaired, and says what became of them.
  history: () => ({ _tag: "told", delay: 0, overlap: 0 }),
  series: () => null,
  open: Effect.fnUntraced(function* (key, sink) {
    if (key.timeframe === null) return
    const bars = new BuiltBars(key.timeframe, sink)
    const building = items({ ...key, timeframe: builtFrom(stream, key.timeframe) }).pipe(
      Stream.runForEach(({ event }) => Effect.sync(() => bars.take(event))),
      Effect.catch(({ message }) =>
        Effect.sync(() => sink.event({ _tag: "Closed", retryable: true, cause: new Unavailable({ message }) }))
      )
    )
    yield* forkAloud(building, sink, `the making of bars of ${key.timeframe}`)
  })
})
