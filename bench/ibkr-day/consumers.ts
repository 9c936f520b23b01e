/**
 * Consumers of one stream each: most take what comes as soon as it comes, one in ten looks away for up to a minute. Each keeps no more of
 * what it was told than a count and a sum, which are held against those of the consumer whose rows were held against the market.
 */
import { Clock, Effect, Exit, Scope } from "effect"
import type { ConsumerPolicy } from "../../src/domain/streams/ConsumerPolicy.ts"
import { isRows, type StreamEvent } from "../../src/domain/streams/StreamEvent.ts"
import type { StreamQuery } from "../../src/domain/streams/StreamKey.ts"
import { isTape } from "../../src/domain/streams/StreamKind.ts"
import { millisOf, type StreamRow } from "../../src/domain/streams/StreamRow.ts"
import { share } from "../../src/layers/testing/gateway/market/hash.ts"
import { MarketStreams } from "../../src/services/MarketStreams.ts"

/** Rows in the order in which they came; snapshots are none. */
export class Digest {
  rows = 0
  dropped = 0
  sum = 0
  last: StreamRow | null = null
  /** The longest, in milliseconds, that a row had waited when it was taken. */
  lag = 0

  hear(event: StreamEvent, now: number): void {
    if (!isRows(event)) return
    this.dropped += event.dropped
    this.last = event.rows.at(-1) ?? this.last
    if (event.snapshot) return
    this.rows += event.rows.length
    this.lag = Math.max(this.lag, now - event.receivedAt)
    for (const row of event.rows) this.sum = (Math.imul(this.sum, 31) + (millisOf(row) % 1_000_003)) | 0
  }
}

export interface Follower {
  readonly name: string
  readonly stream: number
  readonly slow: boolean
  readonly policy: ConsumerPolicy
  readonly digest: Digest
  /** How often it was ended as too slow, and the most rows that waited for it at once. */
  ended: number
  most: number
  failure: string | null
}

const policyOf = (query: StreamQuery, index: number, slow: boolean): ConsumerPolicy => {
  const every = index % 3
  if (every === 0 && !isTape(query.kind)) return { _tag: "latest" }
  if (every === 1) return { _tag: "sliding", rows: slow ? 40 : 10_000 }
  return { _tag: "lossless", rows: slow ? 20 : 100_000 }
}

/** Follows until the scope closes. `hurry`: nobody looks away any more. */
export const follow = Effect.fnUntraced(function* (
  streams: ReadonlyArray<StreamQuery>,
  count: number,
  seed: number,
  hurry: () => boolean
) {
  const market = yield* MarketStreams
  const scope = yield* Effect.scope
  const followers: Array<Follower> = []
  for (let index = 0; index < count; index++) {
    const stream = index % streams.length
    const query = streams[stream]
    if (query === undefined) continue
    const slow = share(seed, index, 1) < 0.1
    const policy = policyOf(query, Math.floor(index / streams.length) + stream, slow)
    const follower: Follower = {
      name: `consumer ${index} (${policy._tag}${slow ? ", slow" : ""}) of ${query.kind} of ${query.symbol}`,
      stream,
      slow,
      policy,
      digest: new Digest(),
      ended: 0,
      most: 0,
      failure: null
    }
    followers.push(follower)
    let looks = 0
    const once = Effect.gen(function* () {
      const { take } = yield* market.subscribe({ vendor: "ibkr", streams: [query] }, { policy })
      for (;;) {
        if (slow && !hurry()) yield* Effect.sleep(Math.ceil(share(seed, index, ++looks + 1) * 60) * 1_000)
        const items = yield* take
        if (items.length === 0) return
        const now = yield* Clock.currentTimeMillis
        let rows = 0
        for (const { event } of items) {
          follower.digest.hear(event, now)
          if (isRows(event)) rows += event.rows.length
        }
        follower.most = Math.max(follower.most, rows)
      }
    })
    const own = yield* Scope.fork(scope)
    const run = Effect.gen(function* () {
      for (;;) {
        const exit = yield* Effect.exit(Effect.scoped(once))
        if (Exit.isSuccess(exit)) break
        const failed = yield* Effect.flip(Effect.failCause(exit.cause))
        if (failed.reason._tag !== "SlowConsumer") {
          follower.failure = failed.message
          break
        }
        follower.ended++
      }
    })
    yield* Effect.forkIn(run, own)
  }
  return followers
})
