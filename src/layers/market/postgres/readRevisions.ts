/** Superseded values of a range, of every generation that readers saw, in order of (ts, recordedAt). */
import { Effect, Option, Stream } from "effect"
import type { Revision } from "../../../domain/Revision.ts"
import { canonical, type SeriesKey } from "../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { instantOf, int4, text } from "../../postgres/values.ts"
import { type FoundRevision, inOrder, toFound, toRevision } from "../revisionRows.ts"
import { num, valueColumnsOf } from "../rows.ts"
import { tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

const pageRows = 1_000

const selectPage = `select v.*, g.id from tapestry_app.series s
  join tapestry_app.generations g on g.series = s.id and g.state in ('current', 'superseded')
  cross join lateral (
    select ${valueColumnsOf("r")}, r.kind, p.response, coalesce(r.shown_position, r.position), p.fetched_at,
      coalesce(r.superseded_at, q.fetched_at), q.response as by, p.decoder_version
    from tapestry_app.revisions r
    join tapestry_app.applied p on p.id = coalesce(r.shown, r.applied)
    join tapestry_app.applied q on q.id = r.superseded_by
    where r.generation = g.id and r.ts >= $1 and r.ts < $2 and r.kind > 0 order by r.ts limit $3
  ) v where s.tenant = $4 and s.canonical = $5 order by g.id, v.ts`

interface Page {
  readonly found: ReadonlyArray<FoundRevision>
  /** Everything below is in `found`; null when there is no more. */
  readonly next: number | null
}

/** Reads on until at least one whole stamp is had, so that a page never ends between two revisions of one stamp. */
const readPage = (
  database: PostgresDatabase,
  key: SeriesKey,
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
      text(canonical(key))
    ]),
    (rows) => {
      const counts = new Map<number, number>()
      let complete = end
      for (const row of rows) {
        const generation = num(row[15])
        const count = (counts.get(generation) ?? 0) + 1
        counts.set(generation, count)
        if (count === limit) complete = Math.min(complete, num(row[0]))
      }
      if (complete === from) return readPage(database, key, from, end, limit * 4)
      const found = rows.map(toFound).filter((revision) => revision.ts < complete)
      return Effect.succeed({ found: found.sort(inOrder), next: complete < end ? complete : null })
    }
  )

export const readRevisions = (
  database: PostgresDatabase,
  key: SeriesKey,
  range: TimeRange
): Stream.Stream<Revision, MarketStoreError> =>
  Stream.paginate(range.start, (from) =>
    Effect.map(
      mapStoreFailure(readPage(database, key, from, range.end, pageRows)),
      ({ found, next }) => [found.map(toRevision), Option.fromNullishOr(next)] as const
    )
  )
