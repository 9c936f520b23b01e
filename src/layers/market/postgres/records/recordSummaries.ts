/** Last rows, whose rows there are, and how far each series has come. */
import { Effect } from "effect"
import type { RecordKind, RecordOf, RecordSeries } from "../../../../domain/records/RecordKind.ts"
import { canonical } from "../../../../domain/SeriesKey.ts"
import type { MarketStoreError } from "../../../../services/MarketStore.ts"
import type { Freshness } from "../../../../services/RecordStore.ts"
import type { PostgresDatabase } from "../../../postgres/PostgresDatabase.ts"
import { text as textParameter } from "../../../postgres/values.ts"
import { keyOf } from "../../priceOrder.ts"
import { tableOf } from "../../records/recordCells.ts"
import { recordAt } from "../../records/storedRecords.ts"
import { num, numOrNull, responseId, text } from "../../rows.ts"
import { tenant } from "../seriesRows.ts"
import { mapStoreFailure } from "../storeFailure.ts"
import { boundOf } from "../summaries.ts"
import { statements } from "./recordStatements.ts"

const lastOf = (kind: RecordKind) => `select r.* from tapestry_app.series s cross join lateral (
    select t.ts, t.ns, t.identity, ${statements[kind].cells("t")} from tapestry_app.${tableOf[kind]} t
    where t.generation = s.generation order by t.ts desc, t.ns desc, t.identity desc limit 1
  ) r where s.tenant = $1 and s.canonical = $2`

export const lastRecord = <K extends RecordKind>(
  database: PostgresDatabase,
  series: RecordSeries<K>
): Effect.Effect<RecordOf<K> | null, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(
      database.query("last record")(lastOf(series.kind), [tenant, textParameter(canonical(series))]),
      ([row]) => (row === undefined ? null : recordAt(series.kind, row))
    )
  )

const selectVendors = "select distinct vendor from tapestry_app.series where tenant = $1 order by vendor"

export const vendors = (database: PostgresDatabase): Effect.Effect<ReadonlyArray<string>, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(database.query("vendors")(selectVendors, [tenant]), (rows) => rows.map(([vendor]) => text(vendor)))
  )

const selectFreshness = `select s.canonical, g.row_count, ${boundOf("min")}, ${boundOf("max")}, a.fetched_at, a.response
  from tapestry_app.series s join tapestry_app.generations g on g.id = s.generation
  left join lateral (
    select fetched_at, response from tapestry_app.applied where generation = g.id order by fetched_at desc, response desc limit 1
  ) a on true
  where s.tenant = $1 order by s.canonical`

export const freshness = (database: PostgresDatabase): Effect.Effect<ReadonlyArray<Freshness>, MarketStoreError> =>
  mapStoreFailure(
    Effect.map(database.query("freshness")(selectFreshness, [tenant]), (rows) =>
      rows.flatMap((row): ReadonlyArray<Freshness> => {
        const series = keyOf(text(row[0]))
        const answeredAt = numOrNull(row[4])
        const answeredBy = answeredAt === null ? null : responseId(row[5])
        const [first, last] = [numOrNull(row[2]), numOrNull(row[3])]
        return series === null ? [] : [{ series, rows: num(row[1]), first, last, answeredAt, answeredBy }]
      })
    )
  )
