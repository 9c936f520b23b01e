/** Counts of a store, as both databases compute them: the same statements, over tables of the same names. */
import { num, type SqlRow } from "../rows.ts"
import type { KindCount, SeriesStats } from "./StoreUpkeep.ts"

/** `schema` is what stands before a table's name. PostgreSQL's sums of int8 are numeric unless they are made int8 again. */
export const countStatements = (schema: string, whole: (sum: string) => string) => ({
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
    from ${schema}series s join ${schema}generations seen on seen.id = s.generation order by s.canonical`
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
