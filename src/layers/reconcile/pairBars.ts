import { Effect, Pull, type Scope, Stream } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"

/** The bars of one stamp, null where a side has none. */
export interface BarPair {
  readonly ts: EpochMillis
  readonly left: Bar | null
  readonly right: Bar | null
}

/** A stretch of pairs that is complete: no bar of either side before `end` comes later. */
export interface Stretch {
  readonly pairs: ReadonlyArray<BarPair>
  readonly end: EpochMillis
}

interface Side<E> {
  readonly pull: Pull.Pull<ReadonlyArray<Bar>, E>
  chunk: ReadonlyArray<Bar>
  at: number
  ended: boolean
}

const sideOf = <E>(bars: Stream.Stream<Bar, E>): Effect.Effect<Side<E>, never, Scope.Scope> =>
  Effect.map(Stream.toPull(bars), (pull) => ({ pull, chunk: [], at: 0, ended: false }))

const refill = Effect.fnUntraced(function* <E>(side: Side<E>) {
  if (side.at < side.chunk.length || side.ended) return
  const next = yield* Pull.catchDone(side.pull, () => Effect.succeed(null))
  side.ended = next === null
  side.chunk = next ?? []
  side.at = 0
})

/**
 * The bars of two ascending streams by stamp, chunk by chunk: as much as both sides have in hand at a time, so memory stays flat
 * however long they are. `end` closes the last stretch.
 */
export const pairBars = <E, E2, R>(
  left: Stream.Stream<Bar, E>,
  right: Stream.Stream<Bar, E>,
  end: EpochMillis,
  use: (stretch: Stretch) => Effect.Effect<void, E2, R>
): Effect.Effect<void, E | E2, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const a = yield* sideOf(left)
      const b = yield* sideOf(right)
      for (;;) {
        yield* refill(a)
        yield* refill(b)
        const pairs: Array<BarPair> = []
        // One side that runs dry may still have earlier bars to come, unless it has ended.
        while ((a.at < a.chunk.length || a.ended) && (b.at < b.chunk.length || b.ended)) {
          const x = a.chunk[a.at]
          const y = b.chunk[b.at]
          if (x === undefined && y === undefined) break
          const ts = Math.min(x?.ts ?? Infinity, y?.ts ?? Infinity)
          pairs.push({ ts, left: x?.ts === ts ? x : null, right: y?.ts === ts ? y : null })
          if (x?.ts === ts) a.at++
          if (y?.ts === ts) b.at++
        }
        const over = a.ended && b.ended && a.at >= a.chunk.length && b.at >= b.chunk.length
        const last = pairs[pairs.length - 1]
        if (over) return yield* use({ pairs, end })
        if (last !== undefined) yield* use({ pairs, end: last.ts + 1 })
        yield* Effect.yieldNow
      }
    })
  )
