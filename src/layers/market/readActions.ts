/**
 * Corporate actions of a symbol, worked out from everything that answers have said of them: at each ex-date the newest answer
 * that speaks of it holds, so the order of the commits never matters. There are few of them, also over decades.
 */
import type { Effect } from "effect"
import { type CorporateAction, type StoredAction, same } from "../../domain/CorporateAction.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { actionColumns, toAction } from "./actionsTable.ts"
import { num, numOrNull, responseId } from "./rows.ts"
import { tenant } from "./seriesTable.ts"
import { mapStoreError } from "./storeError.ts"

/** Answers about a symbol that readers see or saw, in the order of knowledge; a late one of another generation counts too. */
const answersOfSymbol = `from action_answers a
  join applied p on p.id = a.applied
  join generations g on g.id = a.generation and g.state in ('current', 'superseded')
  join series s on s.id = g.series
  where s.tenant = ? and s.vendor = ? and s.dataset is ? and s.symbol = ? and p.fetched_at <= ?`

const selectAnswers = `select a.applied, a.start_ts, a.end_ts, p.response, p.decoder_version, p.fetched_at ${answersOfSymbol}
  and (a.start_ts is null or (a.start_ts < ? and a.end_ts > ?))
  order by p.fetched_at, p.response, p.decoder_version`

const selectActions = `select ${actionColumns}, applied from actions
  where applied in (select a.applied ${answersOfSymbol}) and ts >= ? and ts < ?
  order by ts, kind, ordinal`

interface Told {
  readonly action: CorporateAction
  readonly position: number
}

interface Answer {
  readonly complete: TimeRange | null
  readonly lineage: Omit<StoredAction["lineage"], "position">
  readonly told: Map<number, Array<Told>>
}

const speaksOf = (answer: Answer, ts: number): boolean =>
  answer.complete === null ? answer.told.has(ts) : answer.complete.start <= ts && ts < answer.complete.end

const equal = (a: ReadonlyArray<Told>, b: ReadonlyArray<Told>): boolean =>
  a.length === b.length &&
  a.every(({ action }, index) => {
    const other = b[index]
    return other !== undefined && same(action, other.action)
  })

const nothing: ReadonlyArray<Told> = []

/** What holds at an ex-date, with the answer that has said so for as long as it was not contradicted. */
const heldAt = (answers: ReadonlyArray<Answer>, ts: number): ReadonlyArray<StoredAction> => {
  let held: ReadonlyArray<Told> = nothing
  let since: Answer | undefined
  for (const answer of answers) {
    if (!speaksOf(answer, ts)) continue
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

const read = (
  db: SyncDatabase,
  { dataset, symbol, vendor }: SeriesKey,
  range: TimeRange,
  asOf: number
): ReadonlyArray<StoredAction> => {
  const about = [tenant, vendor, dataset, symbol, asOf] as const
  const answers = new Map<number, Answer>()
  for (const row of db.prepare(selectAnswers).all(...about, range.end, range.start)) {
    const start = numOrNull(row[1])
    const end = numOrNull(row[2])
    answers.set(num(row[0]), {
      complete: start === null || end === null ? null : { start, end },
      lineage: { response: responseId(row[3]), decoderVersion: num(row[4]), recordedAt: num(row[5]) },
      told: new Map()
    })
  }
  const dates = new Set<number>()
  for (const row of db.prepare(selectActions).all(...about, range.start, range.end)) {
    const told = toAction(row)
    const { ts } = told.action
    const answer = answers.get(num(row[7]))
    if (answer === undefined) continue
    dates.add(ts)
    const before = answer.told.get(ts)
    if (before === undefined) answer.told.set(ts, [told])
    else before.push(told)
  }
  const inOrder = [...answers.values()]
  return [...dates].flatMap((ts) => heldAt(inOrder, ts))
}

export const readActions = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange,
  asOf: EpochMillis = Number.MAX_SAFE_INTEGER
): Effect.Effect<ReadonlyArray<StoredAction>, MarketStoreError> =>
  mapStoreError(database.read("read corporate actions", (db) => read(db, key, range, asOf)))
