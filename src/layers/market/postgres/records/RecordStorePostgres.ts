/** RecordStore beside the bars of a PostgreSQL database, whose series, generations, answers and coverage it shares. */
import { Effect, Metric } from "effect"
import { canonical } from "../../../../domain/SeriesKey.ts"
import { rowsCommitted } from "../../../../services/Metrics.ts"
import { type RecordCommit, RecordStore } from "../../../../services/RecordStore.ts"
import { reached } from "../../../FaultPoint.ts"
import type { PostgresDatabase } from "../../../postgres/PostgresDatabase.ts"
import type { KeyedLock } from "../../KeyedLock.ts"
import { nothingDone } from "../../nothingDone.ts"
import { prepareRecords } from "../../records/RecordBatch.ts"
import { tableOf } from "../../records/recordCells.ts"
import { checkRecordInstants } from "../checkInstants.ts"
import { mapStoreFailure } from "../storeFailure.ts"
import { countRows } from "../summaries.ts"
import { type PreparedRecords, runRecordCommits } from "./commitRecords.ts"
import { readRecordRevisions } from "./readRecordRevisions.ts"
import { readRecords, readStoredRecords } from "./readRecords.ts"
import { freshness, lastRecord, vendors } from "./recordSummaries.ts"

/** `locks`: those that commits of bars take, too. */
export const recordStore = (database: PostgresDatabase, locks: KeyedLock): RecordStore["Service"] => {
  const commitAll = Effect.fnUntraced(function* (commits: ReadonlyArray<RecordCommit>) {
    if (commits.length === 0) return []
    const prepared: Array<PreparedRecords> = []
    for (const commit of commits) {
      const batch = yield* prepareRecords(commit)
      yield* checkRecordInstants(commit, batch)
      prepared.push({ commit, batch })
    }
    const series = commits.map((commit) => canonical(commit.series))
    const results = yield* locks.withLocks(series)(runRecordCommits(database, prepared)).pipe(mapStoreFailure)
    yield* Metric.update(
      rowsCommitted,
      results.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0)
    )
    yield* reached("afterCommit")
    return results
  })
  return RecordStore.of({
    commit: Effect.fn("RecordStore.commit")(function* (commit) {
      const [result] = yield* commitAll([commit])
      return result ?? nothingDone
    }),
    commitAll: Effect.fn("RecordStore.commitAll")(commitAll),
    rows: (series, range, read) => readRecords(database, series, range, read),
    storedRows: (series, range, read) => readStoredRecords(database, series, range, read),
    revisions: (series, range) => readRecordRevisions(database, series, range),
    count: Effect.fn("RecordStore.count")((series, range) => countRows(database, tableOf[series.kind], series, range)),
    last: Effect.fn("RecordStore.last")((series) => lastRecord(database, series)),
    vendors: vendors(database),
    freshness: freshness(database).pipe(Effect.withSpan("RecordStore.freshness"))
  })
}
