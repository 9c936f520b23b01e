/**
 * A commit of records made ready: checked, in order of (instant, identity), one row an identity. Everything here happens before
 * the transaction begins, in slices with turns of the event loop between them.
 */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { type AnyRecord, defectOf, identityOf, instantOf, recordKinds } from "../../../domain/records/RecordKind.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import type { RecordCommit } from "../../../services/RecordStore.ts"
import { type BatchInterval, intervalsOf } from "../CommitBatch.ts"
import { invalidCoverage, invalidRow } from "../storeError.ts"
import type { RowKey } from "./recordCells.ts"

export interface BatchRow extends RowKey {
  readonly row: AnyRecord
  readonly position: number
}

export interface RecordBatch {
  readonly rows: ReadonlyArray<BatchRow>
  /** Ascending and disjoint. */
  readonly intervals: ReadonlyArray<BatchInterval>
}

const sliceRows = 4_096
/** Characters. Longer identities are kept as their hash: a key of a B-tree should fit many to a page. */
const longest = 96

const compact = (identity: string): string =>
  identity.length <= longest ? identity : `sha256:${createHash("sha256").update(identity).digest("base64url")}`

const compareRows = (a: BatchRow, b: BatchRow): number =>
  a.ts - b.ts || a.ns - b.ns || (a.identity < b.identity ? -1 : a.identity > b.identity ? 1 : 0)

const checked = Effect.fnUntraced(function* (commit: RecordCommit) {
  const { kind } = commit.series
  const rows: Array<BatchRow> = []
  for (const [index, row] of commit.rows.entries()) {
    if (index > 0 && index % sliceRows === 0) yield* Effect.yieldNow
    const defect = defectOf(kind, row)
    const position = commit.positions[index]
    if (defect !== null || position === undefined || !Number.isSafeInteger(position)) {
      return yield* invalidRow(index, instantOf(row).millis, defect ?? "it has no position")
    }
    const { millis, nanos } = instantOf(row)
    rows.push({ ts: millis, ns: nanos, identity: compact(identityOf(kind, row)), row, position })
  }
  return rows
})

/**
 * One row an identity: the last one, or, where rows alike may be several events, each under a number of its own. A sequence number
 * that comes twice is one event told twice.
 */
const distinct = (rows: ReadonlyArray<BatchRow>, repeats: boolean): Array<BatchRow> => {
  const out: Array<BatchRow> = []
  let alike = 1
  let previous: BatchRow | undefined
  for (const row of rows) {
    const same =
      previous !== undefined && previous.ts === row.ts && previous.ns === row.ns && previous.identity === row.identity
    alike = same ? alike + 1 : 1
    previous = row
    const numbered = "sequence" in row.row && row.row.sequence !== null
    if (!same) out.push(row)
    else if (repeats && !numbered) out.push({ ...row, identity: `${row.identity}~${alike}` })
    else out[out.length - 1] = row
  }
  return out
}

export const prepareRecords: (commit: RecordCommit) => Effect.Effect<RecordBatch, MarketStoreError> = Effect.fnUntraced(
  function* (commit) {
    if (!Number.isSafeInteger(commit.fetchedAt)) {
      return yield* invalidCoverage(`the fetch time ${commit.fetchedAt} is not a whole number of milliseconds`)
    }
    const intervals = yield* intervalsOf(commit)
    const rows = yield* checked(commit)
    // Stable, and quick where rows ascend already, as they do in what vendors send.
    rows.sort(compareRows)
    yield* Effect.yieldNow
    return { rows: distinct(rows, recordKinds[commit.series.kind].repeats), intervals }
  }
)
