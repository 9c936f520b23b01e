/** Counts of a store, as both databases compute them: the same statements, over tables of the same names. */
import { Effect, Option, Stream } from "effect"
import type { KindCount, SeriesStats } from "../../../services/ControlPlane.ts"
import { num, type SqlRow } from "../rows.ts"

/**
 * `schema` is what stands before a table's name. PostgreSQL's sums of int8 are numeric unless they are made int8 again. The
 * series, of one tenant, are those behind a key (the first parameter), at most so many (the second).
 */
export const countStatements = (
  schema: string,
  whole: (sum: string) => string,
  [after, most]: readonly [string, string],
  /** Whose series; stands in a condition before those two. Where it says nothing, the tables show those of one tenant. */
  tenant?: string
) => ({
  kinds: `select s.kind, count(distinct s.id),
    ${whole("sum(case when g.id = s.generation then g.row_count else 0 end)")},
    ${whole("sum(case when g.state in ('current', 'superseded') then g.revision_count else 0 end)")}
    from ${schema}series s join ${schema}generations g on g.series = s.id group by s.kind order by s.kind`,
  series: `select s.canonical, s.kind, seen.row_count,
    (select ${whole("coalesce(sum(row_count), 0)")} from ${schema}generations where series = s.id),
    (select ${whole("coalesce(sum(revision_count), 0)")} from ${schema}generations
      where series = s.id and state in ('current', 'superseded')),
    (select count(*) from ${schema}applied a join ${schema}generations g on g.id = a.generation where g.series = s.id),
    (select count(*) from ${schema}coverage where generation = s.generation)
    from ${schema}series s join ${schema}generations seen on seen.id = s.generation
    where ${tenant === undefined ? "" : `s.tenant = ${tenant} and `}s.canonical > ${after} order by s.canonical limit ${most}`
})

export const kindCount = (row: SqlRow): KindCount => ({
  kind: String(row[0]),
  series: num(row[1]),
  rows: num(row[2]),
  revisions: num(row[3])
})

export const seriesStats = (row: SqlRow): SeriesStats => ({
  series: String(row[0]),
  kind: String(row[1]),
  rows: num(row[2]),
  storedRows: num(row[3]),
  revisions: num(row[4]),
  responses: num(row[5]),
  intervals: num(row[6])
})

/** Of a page. Each series is looked up in several tables, and in SQLite that stands in the event loop. */
const pageSeries = 100

/** Series page by page; each page is read when the one before it was taken. */
export const seriesPages = <E>(
  page: (after: string, most: number) => Effect.Effect<ReadonlyArray<SeriesStats>, E>
): Stream.Stream<SeriesStats, E> =>
  Stream.paginate("", (after) =>
    Effect.map(page(after, pageSeries), (found) => {
      const last = found.length < pageSeries ? undefined : found.at(-1)
      return [found, last === undefined ? Option.none() : Option.some(last.series)] as const
    })
  )
