/** Rows of records in SQLite, one statement each. */
import type { RecordKind } from "../../../domain/records/RecordKind.ts"
import type { SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import type { KnowledgeKey } from "../KnowledgeKey.ts"
import { num } from "../rows.ts"
import { echoBlock, echoesIn } from "./echoText.ts"
import type { Echo, EchoedRow, PastRow, RecordRows, StoredRow } from "./RecordRows.ts"
import { cellsAt, cellsFrom, cellsText, keyText, type RowKey } from "./recordCells.ts"
import { statements } from "./recordTables.ts"

const insertPast = `insert or replace into record_revisions
  (generation, ts, ns, identity, applied, position, cells, kind, superseded_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const selectPast = `select applied, position, cells, kind, superseded_by from record_revisions
  where generation = ? and ts = ? and ns = ? and identity = ?`
const deletePast = "delete from record_revisions where generation = ? and ts = ? and ns = ? and identity = ?"
const insertEchoes = `insert into record_echoes (generation, applied, part, first_ts, last_ts, data)
  values (?, ?, (select count(*) from record_echoes where generation = ? and applied = ?), ?, ?, ?)`
const selectEchoes = "select applied, data from record_echoes where generation = ? and first_ts < ? and last_ts >= ?"
const selectKey = "select fetched_at, response, decoder_version from applied where id = ?"

/** What was repeated in `[start, end)`, by the text of the row's key. */
export const recordEchoes = (
  db: SyncDatabase,
  generation: number,
  start: number,
  end: number
): ReadonlyMap<string, ReadonlyArray<Echo>> => echoesIn(db.prepare(selectEchoes).all(generation, end, start))

const nothing: ReadonlyArray<Echo> = []

export class SqliteRecordRows implements RecordRows {
  private readonly db: SyncDatabase
  private readonly kind: RecordKind
  private readonly generation: number
  private readonly repeated: ReadonlyMap<string, ReadonlyArray<Echo>> | null

  /** `repeated`: what {@link recordEchoes} gives of the stretch; null where nobody asks. */
  constructor(
    db: SyncDatabase,
    kind: RecordKind,
    generation: number,
    repeated: ReadonlyMap<string, ReadonlyArray<Echo>> | null
  ) {
    this.db = db
    this.kind = kind
    this.generation = generation
    this.repeated = repeated
  }

  stored({ identity, ns, ts }: RowKey): StoredRow | null {
    const { columns, one } = statements[this.kind]
    const row = this.db.prepare(one).get(this.generation, ts, ns, identity)
    if (row === undefined) return null
    const width = columns.length
    return { cells: cellsAt(this.kind, row, 0), applied: num(row[width]), position: num(row[width + 1]) }
  }

  put({ identity, ns, ts }: RowKey, { applied, cells, position }: StoredRow): void {
    const { replace } = statements[this.kind]
    this.db.prepare(replace).run(this.generation, ts, ns, identity, ...cells, applied, position)
  }

  remove({ identity, ns, ts }: RowKey): void {
    this.db.prepare(statements[this.kind].remove).run(this.generation, ts, ns, identity)
  }

  past({ identity, ns, ts }: RowKey): ReadonlyArray<PastRow> {
    return this.db
      .prepare(selectPast)
      .all(this.generation, ts, ns, identity)
      .map(([applied, position, cells, kind, supersededBy]) => ({
        applied: num(applied),
        position: num(position),
        cells: cellsFrom(cells),
        kind: num(kind),
        supersededBy: num(supersededBy)
      }))
  }

  putPast({ identity, ns, ts }: RowKey, { applied, cells, kind, position, supersededBy }: PastRow): void {
    this.db
      .prepare(insertPast)
      .run(this.generation, ts, ns, identity, applied, position, cellsText(cells), kind, supersededBy)
  }

  removePast({ identity, ns, ts }: RowKey): number {
    return this.db.prepare(deletePast).run(this.generation, ts, ns, identity).changes
  }

  echoes(at: RowKey): ReadonlyArray<Echo> {
    return this.repeated?.get(keyText(at)) ?? nothing
  }

  putEchoes(applied: number, rows: ReadonlyArray<EchoedRow>): void {
    const { generation } = this
    const { data, first, last } = echoBlock(rows)
    this.db.prepare(insertEchoes).run(generation, applied, generation, applied, first, last, data)
  }

  knowledgeOf(applied: number): KnowledgeKey {
    const row = this.db.prepare(selectKey).get(applied)
    return { fetchedAt: num(row?.[0]), response: num(row?.[1]), decoderVersion: num(row?.[2]) }
  }
}
