/** Which rows, revisions, intervals of coverage and corporate actions two stores disagree about, in pages of both. */
import { Effect, Stream } from "effect"
import type { StoredAction } from "../../domain/CorporateAction.ts"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { Revision } from "../../domain/Revision.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { allTime } from "../../domain/TimeRange.ts"
import type { MarketStore, MarketStoreError, StoredBar } from "../../services/MarketStore.ts"
import type { Moved, MovedAction, MovedCounts } from "../../services/RebuildEvent.ts"
import { type Read, tellStamp, walk } from "../market/sideBySide.ts"

type Store = MarketStore["Service"]

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
