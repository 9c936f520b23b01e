/** Reads and writes of `bars`, `revisions` and `echoes`, each a synchronous statement or two. */
import type { Bar } from "../../domain/Bar.ts"
import type { SqlValue, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { decode, type Echo, type EchoBlock } from "./EchoBlock.ts"
import type { BarSink, RowTables } from "./GenerationTables.ts"
import {
  barColumns,
  num,
  type StoredVersion,
  type SupersededVersion,
  supersededColumns,
  toSuperseded,
  toVersion,
  valueColumns
} from "./rows.ts"

const insertColumns = "generation, ts, open, high, low, close, volume, vwap, count, final, position, applied"
const insertWidth = 12
const tuple = `(${Array(insertWidth).fill("?").join(", ")})`
/** Rows a statement: of 64 one costs half of what it costs alone, of 8 a quarter more than of 64. */
const batches = [64, 8, 1].map((rows) => ({
  width: rows * insertWidth,
  sql: `insert into bars (${insertColumns}) values ${Array(rows).fill(tuple).join(", ")}`
}))
const most = 64 * insertWidth
const replaceBar = `insert or replace into bars (generation, ${barColumns}) values (?, ${Array(13).fill("?").join(", ")})`
const deleteBar = "delete from bars where generation = ? and ts = ?"
const finaliseBar = "update bars set final = 1 where generation = ? and ts = ?"
const selectBars = `select ${barColumns} from bars where generation = ? and ts >= ? and ts < ? order by ts`
const selectNthStamp = "select ts from bars where generation = ? and ts >= ? order by ts limit 1 offset ?"
const replaceRevision = `insert or replace into revisions (generation, ${supersededColumns}, superseded_at) values (?, ${Array(15).fill("?").join(", ")}, ?)`
const deleteRevision = "delete from revisions where generation = ? and ts = ? and applied = ?"
const selectRevisions = `select ${supersededColumns} from revisions where generation = ? and ts >= ? and ts < ? and superseded_at is null order by ts`
const insertEchoes = "insert into echoes (applied, first_ts, last_ts, part, data) values (?, ?, ?, ?, ?)"
const selectEchoes = "select data from echoes where applied = ? and last_ts >= ? and first_ts < ?"

/** Gathers fresh rows and inserts them several a statement. */
class BarInserter implements BarSink {
  private readonly db: SyncDatabase
  private readonly generation: number
  private readonly applied: number
  private params: Array<SqlValue> = []

  constructor(db: SyncDatabase, generation: number, applied: number) {
    this.db = db
    this.generation = generation
    this.applied = applied
  }

  add(bar: Bar, final: number, position: number): void {
    this.params.push(
      this.generation,
      bar.ts,
      bar.open,
      bar.high,
      bar.low,
      bar.close,
      bar.volume,
      bar.vwap,
      bar.count,
      final,
      position,
      this.applied
    )
    if (this.params.length === most) this.flush()
  }

  flush(): void {
    let at = 0
    for (const { sql, width } of batches) {
      for (; at + width <= this.params.length; at += width) {
        this.db.prepare(sql).run(...(width === this.params.length ? this.params : this.params.slice(at, at + width)))
      }
    }
    this.params = []
  }
}

const barsIn = (db: SyncDatabase, generation: number, start: number, end: number): ReadonlyArray<StoredVersion> =>
  db.prepare(selectBars).all(generation, start, end).map(toVersion)

/** The stamp of the row that is `n` rows after the first one at or after `start`; null when there are not so many. */
export const nthStamp = (db: SyncDatabase, generation: number, start: number, n: number): number | null => {
  const row = db.prepare(selectNthStamp).get(generation, start, n)
  return row === undefined ? null : num(row[0])
}

const values = (version: StoredVersion): ReadonlyArray<SqlValue> => [
  version.ts,
  version.bar?.open ?? null,
  version.bar?.high ?? null,
  version.bar?.low ?? null,
  version.bar?.close ?? null,
  version.bar?.volume ?? null,
  version.bar?.vwap ?? null,
  version.bar?.count ?? null,
  version.final ? 1 : 0,
  version.position,
  version.applied,
  version.shown,
  version.shownPosition
]

const selectValues = `select ${valueColumns}, final from bars where generation = ? and ts >= ? and ts < ? order by ts`
const selectOne = `select ${barColumns} from bars where generation = ? and ts = ?`

const valueRowsIn = (
  db: SyncDatabase,
  generation: number,
  start: number,
  end: number
): ReadonlyArray<ReadonlyArray<SqlValue>> => db.prepare(selectValues).all(generation, start, end)

const barRow = (db: SyncDatabase, generation: number, ts: number): StoredVersion | null => {
  const row = db.prepare(selectOne).get(generation, ts)
  return row === undefined ? null : toVersion(row)
}

const putBar = (db: SyncDatabase, generation: number, version: StoredVersion): void => {
  db.prepare(replaceBar).run(generation, ...values(version))
}

const removeBar = (db: SyncDatabase, generation: number, ts: number): void => {
  db.prepare(deleteBar).run(generation, ts)
}

const finalise = (db: SyncDatabase, generation: number, ts: number): void => {
  db.prepare(finaliseBar).run(generation, ts)
}

const revisionsIn = (
  db: SyncDatabase,
  generation: number,
  start: number,
  end: number
): ReadonlyArray<SupersededVersion> => db.prepare(selectRevisions).all(generation, start, end).map(toSuperseded)

const putRevision = (
  db: SyncDatabase,
  generation: number,
  version: SupersededVersion,
  supersededAt: number | null
): void => {
  db.prepare(replaceRevision).run(generation, ...values(version), version.kind, version.supersededBy, supersededAt)
}

const removeRevision = (db: SyncDatabase, generation: number, ts: number, applied: number): void => {
  db.prepare(deleteRevision).run(generation, ts, applied)
}

const putEchoes = (db: SyncDatabase, applied: number, part: number, block: EchoBlock): void => {
  const { bounds } = block
  if (bounds === null) return
  db.prepare(insertEchoes).run(applied, bounds.first, bounds.last, part, block.encode())
}

const echoesOf = (db: SyncDatabase, applied: number, start: number, end: number): ReadonlyMap<number, Echo> => {
  const found = new Map<number, Echo>()
  for (const [data] of db.prepare(selectEchoes).all(applied, start, end)) {
    if (!(data instanceof Uint8Array)) continue
    for (const echo of decode(data)) found.set(echo.ts, echo)
  }
  return found
}

export const rowTables = (db: SyncDatabase): RowTables => ({
  barsIn: (generation, start, end) => barsIn(db, generation, start, end),
  valueRowsIn: (generation, start, end) => valueRowsIn(db, generation, start, end),
  barRow: (generation, ts) => barRow(db, generation, ts),
  inserter: (generation, applied) => new BarInserter(db, generation, applied),
  putBar: (generation, version) => putBar(db, generation, version),
  removeBar: (generation, ts) => removeBar(db, generation, ts),
  finalise: (generation, ts) => finalise(db, generation, ts),
  revisionsIn: (generation, start, end) => revisionsIn(db, generation, start, end),
  putRevision: (generation, version, supersededAt) => putRevision(db, generation, version, supersededAt),
  removeRevision: (generation, ts, applied) => removeRevision(db, generation, ts, applied),
  putEchoes: (applied, part, block) => putEchoes(db, applied, part, block),
  echoesOf: (applied, start, end) => echoesOf(db, applied, start, end)
})
