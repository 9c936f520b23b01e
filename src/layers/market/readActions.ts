/**
 * Corporate actions of a symbol, worked out from everything that answers have said of them: at each ex-date the newest answer
 * that speaks of it holds, so the order of the commits never matters. There are few of them, also over decades; answers that
 * speak of dates without any are many (a series that is polled), so they are read in pages, with turns of the event loop.
 */
import { Effect } from "effect"
import type { StoredAction } from "../../domain/CorporateAction.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { type ActionAnswer, answersOf, heldActions } from "./ActionHistory.ts"
import { actionColumns } from "./actionsTable.ts"
import { num } from "./rows.ts"
import { mapStoreError } from "./storeError.ts"

/** Those that readers see or saw; a late answer of another one counts too. */
const selectGenerations = `select g.id from generations g join series s on s.id = g.series
  where g.state in ('current', 'superseded') and s.tenant = ? and s.vendor = ? and s.dataset is ? and s.symbol = ?`
const selectOwn = `select g.id from generations g join series s on s.id = g.series
  where g.state in ('current', 'superseded') and s.tenant = ? and s.canonical = ?`

const selectAnswers = `select a.applied, a.start_ts, a.end_ts, p.response, p.decoder_version, p.fetched_at
  from action_answers a join applied p on p.id = a.applied
  where a.generation = ? and a.applied > ? order by a.applied limit ?`

const selectActions = `select ${actionColumns}, applied from actions
  where applied in (select applied from action_answers where generation = ? and applied > ? and applied <= ?)
  and ts >= ? and ts < ? order by ts, kind, ordinal`

interface ReadOptions {
  readonly asOf?: EpochMillis
  /** Only what answers about this very series have told. */
  readonly own?: boolean
}

/** Answers that are read in one step. */
const pageSize = 1_024

interface Page {
  readonly answers: ReadonlyArray<ActionAnswer>
  /** The last answer of a full page; null: there are no more. */
  readonly next: number | null
}

/** An answer and what it told are read in one step, so that one that comes meanwhile is read whole or not at all. */
const readPage = (db: SyncDatabase, generation: number, after: number, range: TimeRange, asOf: number): Page => {
  const rows = db.prepare(selectAnswers).all(generation, after, pageSize)
  const last = num(rows.at(-1)?.[0] ?? after)
  const actions = db.prepare(selectActions).all(generation, after, last, range.start, range.end)
  return { answers: answersOf(rows, actions, asOf), next: rows.length < pageSize ? null : last }
}

const read = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  { asOf = Number.MAX_SAFE_INTEGER, own = false }: ReadOptions
) {
  const { dataset, symbol, vendor } = key
  const generations = yield* database.read("read corporate actions", (db) =>
    (own
      ? db.prepare(selectOwn).all(db.tenant, canonical(key))
      : db.prepare(selectGenerations).all(db.tenant, vendor, dataset, symbol)
    ).map((row) => num(row[0]))
  )
  const answers: Array<ActionAnswer> = []
  for (const generation of generations) {
    for (let after: number | null = 0; after !== null; ) {
      const from: number = after
      const page = yield* database.read("read corporate actions", (db) => readPage(db, generation, from, range, asOf))
      for (const answer of page.answers) answers.push(answer)
      after = page.next
      if (after !== null) yield* Effect.yieldNow
    }
  }
  return yield* heldActions(answers)
})

export const readActions = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options: ReadOptions = {}
): Effect.Effect<ReadonlyArray<StoredAction>, MarketStoreError> => mapStoreError(read(database, key, range, options))
