/** Superseded values of a range, of every generation that readers saw, in order of (ts, recordedAt). */
import { Effect, Option, Stream } from "effect"
import type { Revision } from "../../domain/Revision.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import type { SqliteDatabase, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { type FoundRevision, inOrder, toFound, toRevision } from "./revisionRows.ts"
import { num, valueColumnsOf } from "./rows.ts"
import { findSeries, visibleGenerations } from "./seriesTable.ts"
import { mapStoreError } from "./storeError.ts"

const pageRows = 1_000

const selectPage = `select ${valueColumnsOf("r")}, r.kind, p.response, coalesce(r.shown_position, r.position), p.fetched_at,
    coalesce(r.superseded_at, q.fetched_at), q.response, p.decoder_version
  from revisions r
  join applied p on p.id = coalesce(r.shown, r.applied)
  join applied q on q.id = r.superseded_by
  where r.generation = ? and r.ts >= ? and r.ts < ? and r.kind > 0
  order by r.ts limit ?`

interface Page {
  readonly found: ReadonlyArray<FoundRevision>
  /** Everything below is in `found`; null when there is no more. */
  readonly next: number | null
}

/** Reads on until at least one whole stamp is had, so that a page never ends between two revisions of one stamp. */
const readPage = (db: SyncDatabase, series: number, from: number, end: number, limit: number): Page => {
  const found: Array<FoundRevision> = []
  let complete = end
  for (const generation of visibleGenerations(db, series)) {
    const rows = db.prepare(selectPage).all(generation, from, end, limit)
    for (const row of rows) found.push(toFound(row))
    const last = rows[rows.length - 1]
    if (last !== undefined && rows.length === limit) complete = Math.min(complete, num(last[0]))
  }
  if (complete === from) return readPage(db, series, from, end, limit * 4)
  return {
    found: found.filter((revision) => revision.ts < complete).sort(inOrder),
    next: complete < end ? complete : null
  }
}

export const readRevisions = (
  database: SqliteDatabase,
  key: SeriesKey,
  range: TimeRange
): Stream.Stream<Revision, MarketStoreError> =>
  Stream.paginate(range.start, (from) =>
    mapStoreError(
      database.read("read revisions", (db): Page => {
        const series = findSeries(db, key)
        return series === null ? { found: [], next: null } : readPage(db, series.id, from, range.end, pageRows)
      })
    ).pipe(
      Effect.tap(Effect.yieldNow),
      Effect.map(({ found, next }) => [found.map(toRevision), Option.fromNullishOr(next)] as const)
    )
  )
