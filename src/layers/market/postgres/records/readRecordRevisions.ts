/** Values that gave way in a range, of every generation that readers saw, in order of (millisecond, recordedAt). */
import { Effect, Option, Stream } from "effect"
import type { RecordKind, RecordSeries } from "../../../../domain/records/RecordKind.ts"
import { canonical } from "../../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../../services/MarketStore.ts"
import type { RecordRevision } from "../../../../services/RecordStore.ts"
import type { PostgresDatabase, PostgresRow } from "../../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../../postgres/PostgresFailure.ts"
import { instantOf, int4, text } from "../../../postgres/values.ts"
import { origin, revisionOf } from "../../records/storedRecords.ts"
import { num } from "../../rows.ts"
import { tenant } from "../seriesRows.ts"
import { mapStoreFailure } from "../storeFailure.ts"

const pageRows = 1_000

const selectPage = `select r.ts, r.ns, r.identity, r.cells, r.position, ${origin}, r.kind, q.fetched_at, q.response, g.id
  from tapestry_app.series s
  join tapestry_app.generations g on g.series = s.id and g.state in ('current', 'superseded')
  cross join lateral (
    select * from tapestry_app.record_revisions where generation = g.id and ts >= $1 and ts < $2 order by ts limit $3
  ) r
  join tapestry_app.applied p on p.id = r.applied
  join tapestry_app.applied q on q.id = r.superseded_by
  where s.tenant = $4 and s.canonical = $5
  order by r.ts, p.fetched_at, p.response, r.ns, r.identity`

interface Page {
  readonly rows: ReadonlyArray<PostgresRow>
  /** Everything below is in `rows`; null when there is no more. */
  readonly next: number | null
}

/** Reads on until at least one whole millisecond is had, so that a page never ends inside one. */
const readPage = (
  database: PostgresDatabase,
  series: RecordSeries,
  from: number,
  end: number,
  limit: number
): Effect.Effect<Page, PostgresFailure> =>
  Effect.flatMap(
    database.query("read revisions")(selectPage, [
      instantOf(from),
      instantOf(end),
      int4(limit),
      tenant,
      text(canonical(series))
    ]),
    (rows) => {
      const counts = new Map<number, number>()
      const first = num(rows[0]?.[0])
      let complete = end
      for (const row of rows) {
        const generation = num(row[11])
        const count = (counts.get(generation) ?? 0) + 1
        counts.set(generation, count)
        if (count === limit) complete = Math.min(complete, num(row[0]))
      }
      if (complete === first) return readPage(database, series, from, end, limit * 4)
      const whole = complete === end ? rows : rows.filter(([ts]) => num(ts) < complete)
      return Effect.succeed({ rows: whole, next: complete < end ? complete : null })
    }
  )

export const readRecordRevisions = <K extends RecordKind>(
  database: PostgresDatabase,
  series: RecordSeries<K>,
  range: TimeRange
): Stream.Stream<RecordRevision<K>, MarketStoreError> =>
  Stream.paginate(range.start, (from) =>
    Effect.map(
      mapStoreFailure(readPage(database, series, from, range.end, pageRows)),
      ({ next, rows }) => [rows.map((row) => revisionOf(series.kind, row)), Option.fromNullishOr(next)] as const
    )
  )
