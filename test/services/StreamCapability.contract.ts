/**
 * What every adapter that streams must do, so that MarketStreams can rely on it. A test file calls `suite` with a rig: a vendor that has rows
 * all the time, and can be broken.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, type Layer, Scope } from "effect"
import type { StreamKey, StreamQuery } from "../../src/domain/streams/StreamKey.ts"
import { StreamKind } from "../../src/domain/streams/StreamKind.ts"
import { millisOf, type StreamRow, shapeOf } from "../../src/domain/streams/StreamRow.ts"
import type { Adapter, VendorRequest } from "../../src/services/Adapter.ts"
import type { StreamCapability, StreamSink, UpstreamEvent } from "../../src/services/StreamCapability.ts"

export interface StreamRig<R> {
  readonly adapter: Effect.Effect<Adapter & { readonly stream: StreamCapability }, never, R>
  /** One of each kind that it streams, of an instrument that trades every second. */
  readonly queries: ReadonlyArray<StreamQuery>
  /** Of something that the vendor does not have. */
  readonly unknown: StreamQuery
  /** Lets the vendor's time pass. */
  readonly pass: (millis: number) => Effect.Effect<void, never, R>
  /** The connection to the vendor is lost for so long, beginning now, and this waits until after it. */
  readonly breakFor: (millis: number) => Effect.Effect<void, never, R>
  /** Streams that the vendor has open. */
  readonly running: Effect.Effect<number, never, R>
  readonly layer: Layer.Layer<R>
}

interface Seen {
  readonly rows: Array<StreamRow>
  readonly events: Array<UpstreamEvent>
  readonly order: Array<string>
}

const seeing = (): { readonly seen: Seen; readonly sink: StreamSink } => {
  const seen: Seen = { rows: [], events: [], order: [] }
  const row = (one: StreamRow) => {
    seen.rows.push(one)
    seen.order.push("row")
  }
  return {
    seen,
    sink: {
      row,
      rows: (rows) => rows.forEach(row),
      event: (event) => {
        seen.events.push(event)
        seen.order.push(event._tag)
      }
    }
  }
}

const second = 1_000

/** `make` is called once a test, and for the queries. */
export const suite = <R>(name: string, make: () => StreamRig<R>) =>
  describe(`StreamCapability contract (${name})`, () => {
    const test = (title: string, body: (rig: StreamRig<R>) => Effect.Effect<void, unknown, R | Scope.Scope>) =>
      it.effect(title, () => {
        const rig = make()
        return body(rig).pipe(Effect.provide(rig.layer))
      })

    const opened = Effect.fnUntraced(function* (rig: StreamRig<R>, query: StreamQuery) {
      const { stream } = yield* rig.adapter
      const key = yield* stream.key(query)
      const { seen, sink } = seeing()
      yield* stream.open(key, sink)
      return { key, seen, stream }
    })

    const historyOf = Effect.fnUntraced(function* (rig: StreamRig<R>, key: StreamKey, start: number, end: number) {
      const adapter = yield* rig.adapter
      const history = adapter.stream.history(key)
      const rows: Array<StreamRow> = []
      if (history?._tag !== "requests" || adapter.fetch === undefined) return { rows, end: start }
      const range = { start, end }
      let next: VendorRequest | null = yield* history.request(range)
      let proven = start
      while (next !== null) {
        const request: VendorRequest = next
        const { body } = yield* adapter.fetch.fetch(request)
        if (!(body instanceof Uint8Array)) break
        const page = yield* history.decode(body, request, range)
        assert.deepStrictEqual(yield* history.decode(body, request, range), page)
        if (page.proves === null) break
        assert.strictEqual(page.proves.start, proven)
        for (const row of page.rows) {
          assert.isTrue(page.proves.start <= millisOf(row) && millisOf(row) < page.proves.end)
        }
        rows.push(...page.rows)
        proven = page.proves.end
        next = page.next
      }
      return { rows, end: proven }
    })

    test(
      "equal queries have equal keys, and what the vendor does not have is refused",
      Effect.fnUntraced(function* (rig) {
        const { stream } = yield* rig.adapter
        for (const query of rig.queries) {
          const key = yield* stream.key(query)
          assert.deepStrictEqual(yield* stream.key({ ...query, symbol: ` ${query.symbol.toLowerCase()} ` }), key)
          assert.strictEqual(key.kind, query.kind)
          assert.strictEqual(key.timeframe === null, query.kind !== "bars")
          assert.include(stream.kinds, query.kind)
        }
        const refused = yield* Effect.exit(
          Effect.flatMap(stream.key(rig.unknown), (key) => stream.open(key, seeing().sink))
        )
        assert.isTrue(Exit.isFailure(refused))
        assert.isTrue(stream.kinds.every((kind) => StreamKind.literals.includes(kind)))
      })
    )

    for (const query of make().queries) {
      test(
        `${query.kind}: Started comes before the first row, and rows come in time order as far as is promised`,
        Effect.fnUntraced(function* (rig) {
          const { key, seen, stream } = yield* opened(rig, query)
          yield* rig.pass(20 * second)
          assert.strictEqual(seen.order[0], "Started")
          assert.isAbove(seen.rows.length, 2)
          const { slot } = shapeOf(key.kind)
          const newest = new Map<string, number>()
          const now = yield* Clock.currentTimeMillis
          for (const row of seen.rows) {
            const millis = millisOf(row)
            assert.isAtMost(millis, now)
            const before = newest.get(slot(row)) ?? Number.NEGATIVE_INFINITY
            assert.isAtLeast(millis, before - stream.lateness)
            newest.set(slot(row), Math.max(before, millis))
          }
        })
      )

      test(
        `${query.kind}: nothing stays open, and nothing comes, after the scope has closed`,
        Effect.fnUntraced(function* (rig) {
          const before = yield* rig.running
          const scope = yield* Scope.make()
          const { seen } = yield* Scope.provide(opened(rig, query), scope)
          yield* rig.pass(7 * second)
          assert.strictEqual(yield* rig.running, before + 1)
          yield* Scope.close(scope, Exit.void)
          yield* rig.pass(second)
          assert.strictEqual(yield* rig.running, before)
          const { length } = seen.order
          yield* rig.pass(7 * second)
          assert.strictEqual(seen.order.length, length)
        })
      )

      test(
        `${query.kind}: a connection that is lost is told, and what comes after it is told to be after it`,
        Effect.fnUntraced(function* (rig) {
          const { seen } = yield* opened(rig, query)
          yield* rig.pass(7 * second)
          const at = seen.order.length
          yield* rig.breakFor(10 * second)
          yield* rig.pass(20 * second)
          const after = seen.order.slice(at)
          const broken = after.findIndex((word) => word === "Gap" || word === "Closed")
          assert.isAtLeast(broken, 0)
          const closed = seen.events.find(({ _tag }) => _tag === "Closed")
          if (closed?._tag === "Closed") {
            assert.isTrue(closed.retryable)
            assert.notInclude(after.slice(broken), "row")
          } else {
            const resumed = after.indexOf("Resumed")
            assert.isAbove(resumed, broken)
            assert.notInclude(after.slice(broken, resumed), "row")
            assert.include(after.slice(resumed), "row")
          }
        })
      )

      test(
        `${query.kind}: the history, where there is one, has the rows that came live`,
        Effect.fnUntraced(function* (rig) {
          const { key, seen, stream } = yield* opened(rig, query)
          const from = yield* Clock.currentTimeMillis
          yield* rig.pass(12 * second)
          const history = stream.history(key)
          if (history === null) return
          if (history._tag === "series") {
            assert.strictEqual(history.series.timeframe, key.timeframe)
            return
          }
          yield* rig.pass(history.delay + second)
          const { end, rows } = yield* historyOf(rig, key, from, from + 10 * second)
          const { identity } = shapeOf(key.kind)
          const within = (row: StreamRow) => millisOf(row) >= from && millisOf(row) < end
          assert.isAbove(rows.length, 2)
          // A vendor that repeats itself live does not in its history.
          const live = Array.from(new Set(seen.rows.filter(within).map(identity)))
          assert.deepStrictEqual(Array.from(new Set(rows.map(identity))).sort(), live.sort())
        })
      )
    }
  })
