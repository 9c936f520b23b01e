/** The tables of pieces, `coverage` and `refusals`, and the table `answers`. */
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { PostgresRow, Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { int2s, int4, int8, int8s, text } from "../../postgres/values.ts"
import type { BatchInterval } from "../CommitBatch.ts"
import type { Answer, Piece, PieceTable } from "../GenerationTables.ts"
import type { KnowledgeKey } from "../KnowledgeKey.ts"
import { num, numOrNull } from "../rows.ts"
import { tenant } from "./seriesRows.ts"

const columns = "start_ts, end_ts, state, until, fetched_at, response, decoder_version"

/** The last piece that begins before the range, if it reaches into it, and those that begin in it. */
const selectFrom = (table: PieceTable, generation: string) => `select * from (
    (select ${columns}, settled from tapestry_app.${table} where generation = ${generation} and start_ts <= $2
      order by start_ts desc limit 1)
    union all
    (select ${columns}, settled from tapestry_app.${table} where generation = ${generation} and start_ts > $2 and start_ts < $3
      order by start_ts limit $4)
  ) c where end_ts > $2 order by start_ts`

/** Of both tables, as of one moment: the table, the generation, and a piece (nulls where there is none). */
const selectBoth = (generation: string) => `select p.refusals, g.id, p.* from (select ${generation} as id) g
  cross join lateral (
    select 0 as refusals, c.* from (${selectFrom("coverage", "g.id")}) c
    union all select 1, r.* from (${selectFrom("refusals", "g.id")}) r
  ) p where g.id is not null`
const bothOfVisible = selectBoth("(select generation from tapestry_app.series where tenant = $1 and canonical = $5)")
const bothOfGeneration = selectBoth("$1::int8")

const statementsOf = (table: PieceTable) => ({
  select: selectFrom(table, "$1"),
  /** What is removed is not put: the two parts of a statement do not see each other's work. */
  write: `with gone as (delete from tapestry_app.${table} where generation = $2 and start_ts = any($11))
    insert into tapestry_app.${table} (tenant, generation, ${columns}, settled)
    select $1, $2, r.* from unnest($3::int8[], $4::int8[], $5::int2[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int2[]) r
    on conflict (generation, start_ts) do update set end_ts = excluded.end_ts, state = excluded.state, until = excluded.until,
      fetched_at = excluded.fetched_at, response = excluded.response, decoder_version = excluded.decoder_version,
      settled = excluded.settled`
})

const statements = { coverage: statementsOf("coverage"), refusals: statementsOf("refusals") }

const insertAnswers = `insert into tapestry_app.answers (tenant, generation, fetched_at, response, decoder_version, applied,
    start_ts, end_ts, state, until)
  select $1, $2, $3, $4, $5, $6, r.* from unnest($7::int8[], $8::int8[], $9::int2[], $10::int8[]) r`
const selectAnswers = `select ${columns}, applied, id from tapestry_app.answers
  where generation = $1 and (end_ts, start_ts, id) > ($2, $3, $4) and start_ts < $5 and fetched_at <= $6
  order by end_ts, start_ts, id limit $7`

const toAnswer = (row: PostgresRow): Answer => ({
  start: num(row[0]),
  end: num(row[1]),
  code: num(row[2]),
  until: numOrNull(row[3]),
  fetchedAt: num(row[4]),
  response: num(row[5]),
  decoderVersion: num(row[6])
})

/** The first pieces that meet `[start, end)`, ascending, unclipped: at most `limit` and one. */
export const piecesBetween = (
  query: Query,
  table: PieceTable,
  generation: number,
  start: number,
  end: number,
  limit: number
): Effect.Effect<ReadonlyArray<Piece>, PostgresFailure> =>
  Effect.map(query(statements[table].select, [int8(generation), int8(start), int8(end), int4(limit)]), (rows) =>
    rows.map((row) => ({ ...toAnswer(row), settled: row[7] === 1 }))
  )

export interface Both {
  /** Null where there are no pieces. */
  readonly generation: number | null
  readonly coverage: ReadonlyArray<Answer>
  readonly refusals: ReadonlyArray<Answer>
}

/** As {@link piecesBetween} of both tables in one statement, of a generation or of the one that readers see. */
export const bothBetween = (
  query: Query,
  of: number | SeriesKey,
  start: number,
  end: number,
  limit: number
): Effect.Effect<Both, PostgresFailure> => {
  const bounds = [int8(start), int8(end), int4(limit)]
  const rows =
    typeof of === "number"
      ? query(bothOfGeneration, [int8(of), ...bounds])
      : query(bothOfVisible, [tenant, ...bounds, text(canonical(of))])
  return Effect.map(rows, (found) => {
    const ascending = (refusals: number) =>
      found
        .filter((row) => row[0] === refusals)
        .map((row) => toAnswer(row.slice(3)))
        .sort((a, b) => a.start - b.start)
    return { generation: numOrNull(found[0]?.[1] ?? null), coverage: ascending(0), refusals: ascending(1) }
  })
}

export const writePieces = (
  query: Query,
  table: PieceTable,
  generation: number,
  removed: ReadonlyArray<number>,
  put: ReadonlyArray<Piece>
): Effect.Effect<unknown, PostgresFailure> =>
  removed.length === 0 && put.length === 0
    ? Effect.void
    : query(statements[table].write, [
        tenant,
        int8(generation),
        int8s(put.map(({ start }) => start)),
        int8s(put.map(({ end }) => end)),
        int2s(put.map(({ code }) => code)),
        int8s(put.map(({ until }) => until)),
        int8s(put.map(({ fetchedAt }) => fetchedAt)),
        int8s(put.map(({ response }) => response)),
        int8s(put.map(({ decoderVersion }) => decoderVersion)),
        int2s(put.map(({ settled }) => (settled ? 1 : 0))),
        int8s(removed)
      ])

/** `applied` is null for invalidated intervals. */
export const insertAnswerRows = (
  query: Query,
  generation: number,
  key: KnowledgeKey,
  applied: number | null,
  intervals: ReadonlyArray<BatchInterval>
) =>
  query(insertAnswers, [
    tenant,
    int8(generation),
    int8(key.fetchedAt),
    int8(key.response),
    int8(key.decoderVersion),
    int8(applied),
    int8s(intervals.map(({ start }) => start)),
    int8s(intervals.map(({ end }) => end)),
    int2s(intervals.map(({ code }) => code)),
    int8s(intervals.map(({ until }) => until))
  ])

interface StoredAnswer extends Answer {
  readonly applied: number | null
}

const pageSize = 8_192

/** The answers that meet `[start, end)` and were fetched by `asOf`. */
export const answersBetween = Effect.fnUntraced(function* (
  query: Query,
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
    const rows = yield* query(selectAnswers, [
      int8(generation),
      ...after.map(int8),
      int8(end),
      int8(asOf),
      int4(pageSize)
    ])
    for (const row of rows) answers.push({ ...toAnswer(row), applied: numOrNull(row[7]) })
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < pageSize) return answers
    after = [num(last[1]), num(last[0]), num(last[8])]
  }
})
