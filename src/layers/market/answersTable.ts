/** The table `answers`: every interval that was ever asserted or invalidated; nothing in it is changed or removed. */
import { Effect } from "effect"
import type { SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { Answer } from "./GenerationTables.ts"
import { num, numOrNull } from "./rows.ts"

const columns = "start_ts, end_ts, state, until, fetched_at, response, decoder_version, applied"
const insertAnswer = `insert into answers (generation, ${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const selectPage = `select ${columns}, id from answers
  where generation = ? and (end_ts, start_ts, id) > (?, ?, ?) and start_ts < ? and fetched_at <= ?
  order by end_ts, start_ts, id limit ?`

/** `applied` is null for an invalidated interval. */
interface StoredAnswer extends Answer {
  readonly applied: number | null
}

export const insertAnswerRow = (db: SyncDatabase, generation: number, answer: StoredAnswer): void => {
  db.prepare(insertAnswer).run(
    generation,
    answer.start,
    answer.end,
    answer.code,
    answer.until,
    answer.fetchedAt,
    answer.response,
    answer.decoderVersion,
    answer.applied
  )
}

const toAnswer = (row: ReadonlyArray<SqlValue>): StoredAnswer => ({
  start: num(row[0]),
  end: num(row[1]),
  code: num(row[2]),
  until: numOrNull(row[3]),
  fetchedAt: num(row[4]),
  response: num(row[5]),
  decoderVersion: num(row[6]),
  applied: numOrNull(row[7])
})

const pageSize = 4_096

/** Runs a synchronous read, within a transaction or outside. */
type Read<E> = <A>(f: (db: SyncDatabase) => A) => Effect.Effect<A, E>

/** The answers that meet `[start, end)` and were fetched by `asOf`, in pages with turns of the event loop between them. */
export const answersIn = Effect.fnUntraced(function* <E>(
  read: Read<E>,
  generation: number,
  start: number,
  end: number,
  asOf: number
) {
  const answers: Array<StoredAnswer> = []
  let after: readonly [end: number, start: number, id: number] = [
    start,
    Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER
  ]
  for (;;) {
    const from = after
    const rows = yield* read((db) => db.prepare(selectPage).all(generation, ...from, end, asOf, pageSize))
    for (const row of rows) answers.push(toAnswer(row))
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < pageSize) return answers
    after = [num(last[1]), num(last[0]), num(last[8])]
    yield* Effect.yieldNow
  }
})
