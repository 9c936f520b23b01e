/** The tables `action_answers` and `actions`: what answers told of corporate actions, and what that makes together. */
import { Effect } from "effect"
import type { StoredAction } from "../../../domain/CorporateAction.ts"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import type { DecodedActions } from "../../../services/Adapter.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import { float8s, int2s, int4, int8, int8s, text, texts } from "../../postgres/values.ts"
import { type ActionAnswer, answersOf, heldActions } from "../ActionHistory.ts"
import { actionColumns, kinds } from "../actionsTable.ts"
import type { CommitTarget } from "../CommitTarget.ts"
import { num } from "../rows.ts"
import { tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

const insertAnswer =
  "insert into tapestry_app.action_answers (tenant, applied, generation, start_ts, end_ts) values ($1, $2, $3, $4, $5)"
const insertRows = `insert into tapestry_app.actions (tenant, applied, ts, kind, ordinal, position, numerator, denominator, amount, currency)
  select $1, $2, r.* from unnest($3::int8[], $4::int2[], $5::int8[]::int4[], $6::int8[], $7::float8[], $8::float8[], $9::float8[], $10::text[]) r`

/** An answer that adds nothing and is complete about nothing leaves no trace. */
export const insertActions = Effect.fnUntraced(function* (
  query: Query,
  { applied, generation }: CommitTarget,
  { complete, positions, rows }: DecodedActions
) {
  if (rows.length === 0 && complete === null) return
  yield* query(insertAnswer, [
    tenant,
    int8(applied),
    int8(generation),
    int8(complete?.start ?? null),
    int8(complete?.end ?? null)
  ])
  if (rows.length === 0) return
  const counts = new Map<string, number>()
  const ordinals = rows.map(({ kind, ts }) => {
    const ordinal = counts.get(`${ts} ${kind}`) ?? 0
    counts.set(`${ts} ${kind}`, ordinal + 1)
    return ordinal
  })
  yield* query(insertRows, [
    tenant,
    int8(applied),
    int8s(rows.map(({ ts }) => ts)),
    int2s(rows.map(({ kind }) => kinds.indexOf(kind))),
    int8s(ordinals),
    int8s(rows.map((_, index) => positions[index] ?? -1)),
    float8s(rows.map((action) => (action.kind === "split" ? action.numerator : null))),
    float8s(rows.map((action) => (action.kind === "split" ? action.denominator : null))),
    float8s(rows.map((action) => (action.kind === "split" ? null : action.amount))),
    texts(rows.map((action) => (action.kind === "split" ? null : action.currency)))
  ])
})

/** Those that readers see or saw; a late answer of another one counts too. */
const selectGenerations = `select g.id from tapestry_app.generations g join tapestry_app.series s on s.id = g.series
  where g.state in ('current', 'superseded') and s.tenant = $1 and s.vendor = $2 and s.dataset is not distinct from $3
  and s.symbol = $4 order by g.id`
const selectOwn = `select g.id from tapestry_app.generations g join tapestry_app.series s on s.id = g.series
  where g.state in ('current', 'superseded') and s.tenant = $1 and s.canonical = $2 order by g.id`
const selectAnswers = `select a.applied, a.start_ts, a.end_ts, p.response, p.decoder_version, p.fetched_at
  from tapestry_app.action_answers a join tapestry_app.applied p on p.id = a.applied
  where a.generation = $1 and a.applied > $2 order by a.applied limit $3`
const selectActions = `select ${actionColumns}, applied from tapestry_app.actions
  where applied = any($1) and ts >= $2 and ts < $3 order by ts, kind, ordinal`

interface ReadOptions {
  readonly asOf?: EpochMillis
  /** Only what answers about this very series have told. */
  readonly own?: boolean
}

/** Answers that are read at once. */
const pageSize = 4_096

/** An answer that is there is whole and stays as it is, so the second statement may see a newer state than the first. */
const read = Effect.fnUntraced(function* (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange,
  { asOf = Number.MAX_SAFE_INTEGER, own = false }: ReadOptions
) {
  const { dataset, symbol, vendor } = key
  const query = database.query("read corporate actions")
  const found: Array<ActionAnswer> = []
  const generations = yield* own
    ? query(selectOwn, [tenant, text(canonical(key))])
    : query(selectGenerations, [tenant, text(vendor), text(dataset), text(symbol)])
  for (const [id] of generations) {
    for (let after = 0; ; ) {
      const rows = yield* query(selectAnswers, [int8(num(id)), int8(after), int4(pageSize)])
      const actions = yield* query(selectActions, [
        int8s(rows.map(([applied]) => num(applied))),
        int8(range.start),
        int8(range.end)
      ])
      for (const answer of answersOf(rows, actions, asOf)) found.push(answer)
      if (rows.length < pageSize) break
      after = num(rows[rows.length - 1]?.[0])
    }
  }
  return yield* heldActions(found)
})

export const readActions = (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange,
  options: ReadOptions = {}
): Effect.Effect<ReadonlyArray<StoredAction>, MarketStoreError> => mapStoreFailure(read(database, key, range, options))
