/** Which rows, revisions, intervals of coverage and corporate actions two stores disagree about, in pages of both. */
import { Effect, Stream } from "effect"
import type { StoredAction } from "../../domain/CorporateAction.ts"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { Revision } from "../../domain/Revision.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { allTime } from "../../domain/TimeRange.ts"
import type { MarketStore, MarketStoreError, StoredBar } from "../../services/MarketStore.ts"
import type { Moved, MovedAction, MovedCounts } from "../../services/RebuildEvent.ts"

type Store = MarketStore["Service"]

const pageRows = 4_000

/** What is read of one store, in ascending order of stamps, from one on. */
type Read<A> = (from: number, limit: number) => Effect.Effect<ReadonlyArray<A>, MarketStoreError>

/** What two stores have that the other has not, of one stamp: put side by side in the order in which they come. */
type Tell<A> = (stored: A | null, rebuilt: A | null) => void

const textOf = (value: unknown): string => JSON.stringify(value)

const tellStamp = <A>(
  stored: ReadonlyArray<A>,
  rebuilt: ReadonlyArray<A>,
  identity: (value: A) => unknown,
  tell: Tell<A>
): void => {
  const there = new Set(rebuilt.map((value) => textOf(identity(value))))
  const here = new Set(stored.map((value) => textOf(identity(value))))
  const gone = stored.filter((value) => !there.has(textOf(identity(value))))
  const come = rebuilt.filter((value) => !here.has(textOf(identity(value))))
  for (let at = 0; at < Math.max(gone.length, come.length); at++) tell(gone[at] ?? null, come[at] ?? null)
}

/** Walks both in windows that hold whole stamps only. */
const walk = Effect.fnUntraced(function* <A>(
  stored: Read<A>,
  rebuilt: Read<A>,
  stampOf: (value: A) => number,
  identity: (value: A) => unknown,
  tell: Tell<A>
) {
  let from = allTime.start
  let limit = pageRows
  for (;;) {
    const [a, b] = [yield* stored(from, limit), yield* rebuilt(from, limit)]
    const lastOf = (page: ReadonlyArray<A>) => {
      const last = page.length < limit ? undefined : page[page.length - 1]
      return last === undefined ? allTime.end : stampOf(last)
    }
    const end = Math.min(lastOf(a), lastOf(b))
    if (end <= from) {
      limit *= 4
      continue
    }
    const byStamp = new Map<number, { readonly a: Array<A>; readonly b: Array<A> }>()
    const at = (ts: number) => {
      const found = byStamp.get(ts) ?? { a: [], b: [] }
      byStamp.set(ts, found)
      return found
    }
    for (const value of a) if (stampOf(value) < end) at(stampOf(value)).a.push(value)
    for (const value of b) if (stampOf(value) < end) at(stampOf(value)).b.push(value)
    for (const [, both] of [...byStamp].sort(([x], [y]) => x - y)) tellStamp(both.a, both.b, identity, tell)
    if (end === allTime.end) return
    from = end
    limit = pageRows
    yield* Effect.yieldNow
  }
})

const rowsFrom =
  (store: Store, key: SeriesKey): Read<StoredBar> =>
  (from, limit) =>
    Stream.runCollect(Stream.take(store.storedBars(key, { start: from, end: allTime.end }), limit))

const revisionsFrom =
  (store: Store, key: SeriesKey): Read<Revision> =>
  (from, limit) =>
    Stream.runCollect(Stream.take(store.revisions(key, { start: from, end: allTime.end }), limit))

/** Another version of the decoder that reads the same has not moved a row. */
const rowIdentity = ({ bar, final, lineage: { position, recordedAt, response } }: StoredBar) => [
  bar,
  final,
  response,
  position,
  recordedAt
]

const actionIdentity = ({ action, lineage: { position, recordedAt, response } }: StoredAction) => [
  action,
  response,
  position,
  recordedAt
]

/** Counts all, and gives the first `limit` of each kind. */
export const compareStores: (
  stored: Store,
  rebuilt: Store,
  key: SeriesKey,
  text: string,
  limit: number
) => Effect.Effect<
  {
    readonly moved: ReadonlyArray<Moved>
    readonly actions: ReadonlyArray<MovedAction>
    readonly counts: MovedCounts
  },
  MarketStoreError
> = Effect.fnUntraced(function* (stored, rebuilt, key, text, limit) {
  const moved: Array<Moved> = []
  const counts = { rows: 0, revisions: 0, coverage: 0, actions: 0 }
  yield* walk(
    rowsFrom(stored, key),
    rowsFrom(rebuilt, key),
    ({ bar }) => bar.ts,
    rowIdentity,
    (a, b) => {
      if (counts.rows++ < limit) moved.push({ _tag: "Row", series: text, stored: a, rebuilt: b })
    }
  )
  const all = (revision: Revision) => revision
  yield* walk(
    revisionsFrom(stored, key),
    revisionsFrom(rebuilt, key),
    ({ ts }) => ts,
    all,
    (a, b) => {
      if (counts.revisions++ < limit) moved.push({ _tag: "Revision", series: text, stored: a, rebuilt: b })
    }
  )
  const intervalsOf = (store: Store) => store.coverage(key, allTime)
  const whole = (interval: StoredCoverage) => interval
  const [here, there] = [yield* intervalsOf(stored), yield* intervalsOf(rebuilt)]
  tellStamp(here, there, whole, (a, b) => {
    if (counts.coverage++ < limit) moved.push({ _tag: "Coverage", series: text, stored: a, rebuilt: b })
  })
  const actions: Array<MovedAction> = []
  const toldIn = (store: Store) => store.actions(key, allTime, { own: true })
  tellStamp(yield* toldIn(stored), yield* toldIn(rebuilt), actionIdentity, (a, b) => {
    if (counts.actions++ < limit) actions.push({ stored: a, rebuilt: b })
  })
  return { moved, actions, counts }
})
