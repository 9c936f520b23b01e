/**
 * RecordStore over PostgreSQL, which keeps bars and no other kind so far: there are no records to read, and none can be written.
 * What it says of all series it says of the bars.
 */
import { Effect, Stream } from "effect"
import { MarketStoreError, StoreUnavailable } from "../../../services/MarketStore.ts"
import { type Freshness, RecordStore } from "../../../services/RecordStore.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { keyOf } from "../priceOrder.ts"
import { num, numOrNull, responseId, text } from "../rows.ts"
import { tenant } from "./seriesRows.ts"
import { mapStoreFailure } from "./storeFailure.ts"

const selectVendors = "select distinct vendor from tapestry.series where tenant = $1 order by vendor"
const selectFreshness = `select s.canonical, g.row_count,
  (select min(ts) from tapestry.bars where generation = g.id), (select max(ts) from tapestry.bars where generation = g.id),
  a.fetched_at, a.response
  from tapestry.series s join tapestry.generations g on g.id = s.generation
  left join lateral (
    select fetched_at, response from tapestry.applied where generation = g.id order by fetched_at desc, response desc limit 1
  ) a on true
  where s.tenant = $1 order by s.canonical`

const refused = Effect.fail(
  new MarketStoreError({
    reason: new StoreUnavailable({
      message: "PostgreSQL keeps bars and no other kind of row so far: use the embedded store for them (--store sqlite)"
    })
  })
)

export const noRecords = (database: PostgresDatabase): RecordStore["Service"] =>
  RecordStore.of({
    commit: () => refused,
    commitAll: (commits) => (commits.length === 0 ? Effect.succeed([]) : refused),
    rows: () => Stream.empty,
    storedRows: () => Stream.empty,
    revisions: () => Stream.empty,
    count: () => Effect.succeed(0),
    last: () => Effect.succeed(null),
    vendors: mapStoreFailure(
      Effect.map(database.query("vendors")(selectVendors, [tenant]), (rows) => rows.map(([vendor]) => text(vendor)))
    ),
    freshness: mapStoreFailure(
      Effect.map(database.query("freshness")(selectFreshness, [tenant]), (rows) =>
        rows.flatMap((row): ReadonlyArray<Freshness> => {
          const series = keyOf(text(row[0]))
          const answeredAt = numOrNull(row[4])
          const answeredBy = answeredAt === null ? null : responseId(row[5])
          const [first, last] = [numOrNull(row[2]), numOrNull(row[3])]
          return series === null ? [] : [{ series, rows: num(row[1]), first, last, answeredAt, answeredBy }]
        })
      )
    ).pipe(Effect.withSpan("RecordStore.freshness"))
  })
