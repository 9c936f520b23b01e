/**
 * Rows of a stretch of one generation, or of two, read beforehand; changes are gathered, and written by a few statements. See
 * GenerationTables.ts: the steps read before they write, so what is written is never read here.
 */
import { Effect } from "effect"
import type { Bar } from "../../../domain/Bar.ts"
import type { Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { blobs, float8s, instantOf, instants, int2s, int8, int8s, type SqlParameter } from "../../postgres/values.ts"
import { decode, type Echo, type EchoBlock } from "../EchoBlock.ts"
import type { BarSink, RowTables } from "../GenerationTables.ts"
import {
  barColumns,
  num,
  type SqlRow,
  type StoredVersion,
  type SupersededVersion,
  supersededColumns,
  toSuperseded,
  toVersion
} from "../rows.ts"
import { insertBars } from "./insertBars.ts"
import { tenant } from "./seriesRows.ts"

export const selectBars = `select ${barColumns} from tapestry_app.bars where generation = $1 and ts >= $2 and ts < $3 order by ts`
const selectRevisions = `select ${supersededColumns} from tapestry_app.revisions
  where generation = $1 and ts >= $2 and ts < $3 and superseded_at is null order by ts`
const selectEchoes =
  "select applied, data from tapestry_app.echoes where applied = any($1) and last_ts >= $2 and first_ts < $3"

export const barsBetween = (query: Query, generation: number, start: number, end: number, limit?: number) =>
  query(limit === undefined ? selectBars : `${selectBars} limit ${limit}`, [
    int8(generation),
    instantOf(start),
    instantOf(end)
  ])

export const revisionsBetween = (query: Query, generation: number, start: number, end: number) =>
  query(selectRevisions, [int8(generation), instantOf(start), instantOf(end)])

/** What responses echoed in `[start, end)`. */
export const echoesBetween = Effect.fnUntraced(function* (
  query: Query,
  applied: ReadonlyArray<number>,
  start: number,
  end: number
) {
  const found = new Map<number, Map<number, Echo>>()
  if (applied.length === 0) return found
  for (const [id, data] of yield* query(selectEchoes, [int8s(applied), int8(start), int8(end)])) {
    if (!(data instanceof Uint8Array)) continue
    const of = found.get(num(id)) ?? new Map<number, Echo>()
    found.set(num(id), of)
    for (const echo of decode(data)) of.set(echo.ts, echo)
  }
  return found
})

const valueNames = "open, high, low, close, volume, vwap, count"
const valueArrays = (from: number) => [0, 1, 2, 3, 4, 5, 6].map((offset) => `$${from + offset}::float8[]`).join(", ")

const rowNames = `ts, ${valueNames}, final, position, applied, shown, shown_position`
const upsertBars = `insert into tapestry_app.bars (tenant, generation, ${rowNames})
  select $1, $2, r.* from unnest($3::timestamptz[], ${valueArrays(4)}, $11::int2[], $12::int8[], $13::int8[], $14::int8[], $15::int8[]) r
  on conflict (generation, ts) do update set open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, vwap = excluded.vwap, count = excluded.count, final = excluded.final,
    position = excluded.position, applied = excluded.applied, shown = excluded.shown, shown_position = excluded.shown_position`
const upsertRevisions = `insert into tapestry_app.revisions (tenant, generation, ${rowNames}, kind, superseded_by, superseded_at)
  select $1, $2, r.* from unnest($3::timestamptz[], ${valueArrays(4)}, $11::int2[], $12::int8[], $13::int8[], $14::int8[], $15::int8[],
    $16::int2[], $17::int8[], $18::int8[]) r
  on conflict (generation, ts, applied) do update set open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, vwap = excluded.vwap, count = excluded.count, final = excluded.final,
    position = excluded.position, shown = excluded.shown, shown_position = excluded.shown_position, kind = excluded.kind,
    superseded_by = excluded.superseded_by, superseded_at = excluded.superseded_at`
const deleteBars = "delete from tapestry_app.bars where generation = $1 and ts = any($2)"
const finaliseBars = "update tapestry_app.bars set final = 1 where generation = $1 and ts = any($2)"
const deleteRevisions = `delete from tapestry_app.revisions r using unnest($2::timestamptz[], $3::int8[]) d(ts, applied)
  where r.generation = $1 and r.ts = d.ts and r.applied = d.applied`
const insertEchoes = `insert into tapestry_app.echoes (tenant, applied, first_ts, last_ts, part, data)
  select $1, r.* from unnest($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::bytea[]) r`

const valuesOf = (bars: ReadonlyArray<Bar | null>) => [
  float8s(bars.map((bar) => bar?.open ?? null)),
  float8s(bars.map((bar) => bar?.high ?? null)),
  float8s(bars.map((bar) => bar?.low ?? null)),
  float8s(bars.map((bar) => bar?.close ?? null)),
  float8s(bars.map((bar) => bar?.volume ?? null)),
  float8s(bars.map((bar) => bar?.vwap ?? null)),
  float8s(bars.map((bar) => bar?.count ?? null))
]

const versionArrays = (rows: ReadonlyArray<StoredVersion>) => [
  instants(rows.map(({ ts }) => ts)),
  ...valuesOf(rows.map(({ bar }) => bar)),
  int2s(rows.map(({ final }) => (final ? 1 : 0))),
  int8s(rows.map(({ position }) => position)),
  int8s(rows.map(({ applied }) => applied)),
  int8s(rows.map(({ shown }) => shown)),
  int8s(rows.map(({ shownPosition }) => shownPosition))
]

interface PutRevision {
  readonly version: SupersededVersion
  readonly supersededAt: number | null
}

interface Contents {
  /** The generation that is written. */
  readonly generation: number
  /** By generation, ascending, as the driver gives {@link barColumns}. */
  readonly bars?: ReadonlyMap<number, ReadonlyArray<SqlRow>>
  /** Of the generation that is written, as the driver gives {@link supersededColumns}. */
  readonly revisions?: ReadonlyArray<SqlRow>
  readonly echoes?: ReadonlyMap<number, ReadonlyMap<number, Echo>>
}

const nothing: ReadonlyArray<SqlRow> = []

/** The first of ascending rows whose stamp is `ts` or later. */
const firstAt = (rows: ReadonlyArray<SqlRow>, ts: number): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (num(rows[middle]?.[0]) < ts) low = middle + 1
    else high = middle
  }
  return low
}

const between = (rows: ReadonlyArray<SqlRow>, start: number, end: number): ReadonlyArray<SqlRow> => {
  const from = firstAt(rows, start)
  const to = firstAt(rows, end)
  return from === 0 && to === rows.length ? rows : rows.slice(from, to)
}

export class RowWindow implements RowTables {
  private readonly contents: Contents
  private freshApplied = 0
  private readonly fresh: {
    readonly bars: Array<Bar>
    readonly finals: Array<number>
    readonly positions: Array<number>
  } = {
    bars: [],
    finals: [],
    positions: []
  }
  private readonly put = new Map<number, StoredVersion>()
  private readonly removed: Array<number> = []
  private readonly finalised: Array<number> = []
  private readonly putRevisions: Array<PutRevision> = []
  private readonly removedRevisions: Array<{ readonly ts: number; readonly applied: number }> = []
  private readonly echoed: Array<{ readonly applied: number; readonly part: number; readonly block: EchoBlock }> = []

  constructor(contents: Contents) {
    this.contents = contents
  }

  private rows(generation: number): ReadonlyArray<SqlRow> {
    return this.contents.bars?.get(generation) ?? nothing
  }

  barsIn(generation: number, start: number, end: number): ReadonlyArray<StoredVersion> {
    return between(this.rows(generation), start, end).map(toVersion)
  }

  valueRowsIn(generation: number, start: number, end: number): ReadonlyArray<SqlRow> {
    return between(this.rows(generation), start, end)
  }

  barRow(generation: number, ts: number): StoredVersion | null {
    const rows = this.rows(generation)
    const row = rows[firstAt(rows, ts)]
    return row === undefined || row[0] !== ts ? null : toVersion(row)
  }

  /** One a window: what it adds has one response. */
  inserter(_generation: number, applied: number): BarSink {
    this.freshApplied = applied
    const { bars, finals, positions } = this.fresh
    return {
      add: (bar, final, position) => {
        bars.push(bar)
        finals.push(final)
        positions.push(position)
      },
      flush: () => {}
    }
  }

  putBar(_generation: number, version: StoredVersion): void {
    this.put.set(version.ts, version)
  }

  removeBar(_generation: number, ts: number): void {
    this.removed.push(ts)
  }

  finalise(_generation: number, ts: number): void {
    this.finalised.push(ts)
  }

  revisionsIn(_generation: number, start: number, end: number): ReadonlyArray<SupersededVersion> {
    return between(this.contents.revisions ?? nothing, start, end).map(toSuperseded)
  }

  putRevision(_generation: number, version: SupersededVersion, supersededAt: number | null): void {
    this.putRevisions.push({ version, supersededAt })
  }

  removeRevision(_generation: number, ts: number, applied: number): void {
    this.removedRevisions.push({ ts, applied })
  }

  putEchoes(applied: number, part: number, block: EchoBlock): void {
    if (block.bounds !== null) this.echoed.push({ applied, part, block })
  }

  echoesOf(applied: number): ReadonlyMap<number, Echo> {
    return this.contents.echoes?.get(applied) ?? new Map()
  }

  /** What was gathered as statements, whose parameters are made now; they run when the whole is run. */
  changes(): (query: Query) => Effect.Effect<void, PostgresFailure> {
    const generation = int8(this.contents.generation)
    const { echoed, finalised, fresh, freshApplied, removed, removedRevisions } = this
    const put = [...this.put.values()]
    const statements: Array<(query: Query) => Effect.Effect<unknown, PostgresFailure>> = []
    const run = (sql: string, parameters: ReadonlyArray<SqlParameter>) =>
      void statements.push((query) => query(sql, parameters))
    if (removedRevisions.length > 0) {
      const at = instants(removedRevisions.map(({ ts }) => ts))
      run(deleteRevisions, [generation, at, int8s(removedRevisions.map(({ applied }) => applied))])
    }
    if (this.putRevisions.length > 0) {
      const versions = this.putRevisions.map(({ version }) => version)
      run(upsertRevisions, [
        tenant,
        generation,
        ...versionArrays(versions),
        int2s(versions.map(({ kind }) => kind)),
        int8s(versions.map(({ supersededBy }) => supersededBy)),
        int8s(this.putRevisions.map(({ supersededAt }) => supersededAt))
      ])
    }
    if (removed.length > 0) run(deleteBars, [generation, instants(removed)])
    if (put.length > 0) run(upsertBars, [tenant, generation, ...versionArrays(put)])
    if (finalised.length > 0) run(finaliseBars, [generation, instants(finalised)])
    if (fresh.bars.length > 0) statements.push(insertBars(this.contents.generation, freshApplied, fresh))
    if (echoed.length > 0) {
      const bounds = echoed.map(({ block }) => block.bounds ?? { first: 0, last: 0 })
      run(insertEchoes, [
        tenant,
        int8s(echoed.map(({ applied }) => applied)),
        int8s(bounds.map(({ first }) => first)),
        int8s(bounds.map(({ last }) => last)),
        int8s(echoed.map(({ part }) => part)),
        blobs(echoed.map(({ block }) => block.encode()))
      ])
    }
    return (query) => Effect.forEach(statements, (statement) => statement(query), { discard: true })
  }
}
