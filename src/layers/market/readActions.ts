/**
 * Corporate actions of a symbol, worked out from everything that answers have said of them: at each ex-date the newest answer
 * that speaks of it holds, so the order of the commits never matters. There are few of them, also over decades; answers that
 * speak of dates without any are many (a series that is polled), so they are read in pages, with turns of the event loop.
 */
import { Effect } from "effect"
import { type CorporateAction, type StoredAction, same } from "../../domain/CorporateAction.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { actionColumns, toAction } from "./actionsTable.ts"
import { num, numOrNull, responseId } from "./rows.ts"
import { tenant } from "./seriesTable.ts"
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

interface Told {
  readonly action: CorporateAction
  readonly position: number
}

interface Answer {
  readonly complete: TimeRange | null
  readonly lineage: Omit<StoredAction["lineage"], "position">
  readonly told: ReadonlyMap<number, Array<Told>>
}

const nothingTold: Answer["told"] = new Map()

/** In the order of knowledge. */
const inOrder = ({ lineage: a }: Answer, { lineage: b }: Answer): number =>
  a.recordedAt - b.recordedAt || a.response - b.response || a.decoderVersion - b.decoderVersion

const equal = (a: ReadonlyArray<Told>, b: ReadonlyArray<Told>): boolean =>
  a.length === b.length &&
  a.every(({ action }, index) => {
    const other = b[index]
    return other !== undefined && same(action, other.action)
  })

const nothing: ReadonlyArray<Told> = []

/** What holds at an ex-date by the answers that speak of it, with the one that has said so for as long as it was not contradicted. */
const heldAt = (answers: ReadonlyArray<Answer>, ts: number): ReadonlyArray<StoredAction> => {
  let held: ReadonlyArray<Told> = nothing
  let since: Answer | undefined
  for (const answer of answers) {
    const told = answer.told.get(ts) ?? nothing
    if (since !== undefined && equal(told, held)) continue
    held = told
    since = answer
  }
  const lineage = since?.lineage
  return lineage === undefined
    ? []
    : held.map(({ action, position }) => ({ action, lineage: { ...lineage, position } }))
}

interface Page {
  readonly answers: ReadonlyArray<Answer>
  /** The last answer of a full page; null: there are no more. */
  readonly next: number | null
}

/** An answer and what it told are read in one step, so that one that comes meanwhile is read whole or not at all. */
const readPage = (db: SyncDatabase, generation: number, after: number, range: TimeRange, asOf: number): Page => {
  const rows = db.prepare(selectAnswers).all(generation, after, pageSize)
  const last = num(rows.at(-1)?.[0] ?? after)
  const told = new Map<number, Map<number, Array<Told>>>()
  for (const row of db.prepare(selectActions).all(generation, after, last, range.start, range.end)) {
    const one = toAction(row)
    const { ts } = one.action
    const applied = num(row[7])
    const by = told.get(applied) ?? new Map<number, Array<Told>>()
    told.set(applied, by)
    const before = by.get(ts)
    if (before === undefined) by.set(ts, [one])
    else before.push(one)
  }
  const answers: Array<Answer> = []
  for (const row of rows) {
    const recordedAt = num(row[5])
    if (recordedAt > asOf) continue
    const start = numOrNull(row[1])
    const end = numOrNull(row[2])
    answers.push({
      complete: start === null || end === null ? null : { start, end },
      lineage: { response: responseId(row[3]), decoderVersion: num(row[4]), recordedAt },
      told: told.get(num(row[0])) ?? nothingTold
    })
  }
  return { answers, next: rows.length < pageSize ? null : last }
}

/** The first index whose date is not before an instant. */
const firstAt = (dates: ReadonlyArray<number>, instant: number): number => {
  let low = 0
  let high = dates.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((dates[middle] ?? Infinity) < instant) low = middle + 1
    else high = middle
  }
  return low
}

/** The dates of which an answer speaks. */
const datesOf = ({ complete, told }: Answer, dates: ReadonlyArray<number>): Iterable<number> =>
  complete === null ? told.keys() : dates.slice(firstAt(dates, complete.start), firstAt(dates, complete.end))

const read = Effect.fnUntraced(function* (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  { asOf = Number.MAX_SAFE_INTEGER, own = false }: ReadOptions
) {
  const { dataset, symbol, vendor } = key
  const generations = yield* database.read("read corporate actions", (db) =>
    (own
      ? db.prepare(selectOwn).all(tenant, canonical(key))
      : db.prepare(selectGenerations).all(tenant, vendor, dataset, symbol)
    ).map((row) => num(row[0]))
  )
  const answers: Array<Answer> = []
  for (const generation of generations) {
    for (let after: number | null = 0; after !== null; ) {
      const from: number = after
      const page = yield* database.read("read corporate actions", (db) => readPage(db, generation, from, range, asOf))
      for (const answer of page.answers) answers.push(answer)
      after = page.next
      if (after !== null) yield* Effect.yieldNow
    }
  }
  answers.sort(inOrder)
  const dates = [...new Set(answers.flatMap(({ told }) => [...told.keys()]))].sort((a, b) => a - b)
  const speaking = new Map<number, Array<Answer>>(dates.map((date) => [date, []]))
  for (const [index, answer] of answers.entries()) {
    if (index % pageSize === pageSize - 1) yield* Effect.yieldNow
    for (const date of datesOf(answer, dates)) speaking.get(date)?.push(answer)
  }
  const held: Array<StoredAction> = []
  for (const [date, said] of speaking) {
    for (const action of heldAt(said, date)) held.push(action)
  }
  return held
})

export const readActions = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  options: ReadOptions = {}
): Effect.Effect<ReadonlyArray<StoredAction>, MarketStoreError> => mapStoreError(read(database, key, range, options))
