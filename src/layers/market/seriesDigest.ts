/**
 * The digest of a series, streamed: memory stays flat, and a turn of the event loop passes between the pages that are read.
 *
 * Beside the bars (rowBytes.ts) everything is hashed as signed 64-bit integers, little endian. A row's lineage is response,
 * position, recordedAt and final (1 or 0). A revision is ts, kind (1 corrected, 2 finalised, 3 withdrawn), response, position,
 * recordedAt, supersededAt, supersededBy, whether it has a bar (1 or 0), and the 64 bytes of that bar. An interval of coverage is
 * start, end, state (1 Covered, 2 Empty, 3 Provisional, 4 NotEntitled, 5 NotFound), its instant (-1 where it has none), response,
 * recordedAt and askedAt (-1 where that is not kept); then, of what has been refused since, the refusal's state, instant, response and
 * recordedAt, else four times -1. Corporate actions are hashed as JSON arrays, a line each: kind, date, numbers, currency, response, position and
 * recordedAt.
 */
import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import type { StoredAction } from "../../domain/CorporateAction.ts"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import type { Revision } from "../../domain/Revision.ts"
import { rowBytes, rowsHeader } from "../../domain/rowBytes.ts"
import type { SeriesDigest } from "../../domain/SeriesDigest.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { allTime } from "../../domain/TimeRange.ts"
import type { MarketStore, MarketStoreError, StoredBar } from "../../services/MarketStore.ts"
import { RevisionKind } from "./rows.ts"
import { encode, StateCode } from "./stateCode.ts"

const high32 = 2 ** 32

const integers = (rows: ReadonlyArray<ReadonlyArray<number>>, width: number): Uint8Array => {
  const bytes = new Uint8Array(rows.length * width * 8)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const row of rows) {
    for (const value of row) {
      view.setUint32(at, value >>> 0, true)
      view.setInt32(at + 4, Math.floor(value / high32), true)
      at += 8
    }
  }
  return bytes
}

const lineageOf = ({ final, lineage }: StoredBar): ReadonlyArray<number> => [
  lineage.response,
  lineage.position,
  lineage.recordedAt,
  final ? 1 : 0
]

const revisionOf = (revision: Revision): ReadonlyArray<number> => [
  revision.ts,
  RevisionKind[revision.kind],
  revision.response,
  revision.position,
  revision.recordedAt,
  revision.supersededAt,
  revision.supersededBy,
  revision.bar === null ? 0 : 1
]

const notRefused: ReadonlyArray<number> = [-1, -1, -1, -1]

const coverageOf = ({ askedAt, end, recordedAt, refusal, start, state }: StoredCoverage): ReadonlyArray<number> => {
  const { code, until } = encode(state, null)
  return [
    ...[start, end, code, until ?? -1, state.response, recordedAt, askedAt ?? -1],
    ...(refusal === undefined
      ? notRefused
      : [StateCode[refusal.tag], refusal.until, refusal.response, refusal.recordedAt])
  ]
}

const actionLine = ({ action, lineage }: StoredAction): string => {
  const { kind, ts } = action
  const said = kind === "split" ? [action.numerator, action.denominator] : [action.amount, action.currency]
  return `${JSON.stringify([kind, ts, ...said, lineage.response, lineage.position, lineage.recordedAt])}\n`
}

/** What the store says of a series now. The visible generation is read, and the revisions of all. */
export const seriesDigest: (
  market: MarketStore["Service"],
  series: SeriesKey
) => Effect.Effect<SeriesDigest, MarketStoreError> = Effect.fnUntraced(function* (market, series) {
  const rows = createHash("sha256").update(rowsHeader)
  const lineage = createHash("sha256").update("tapestry.lineage.v1\n")
  let count = 0
  yield* Stream.runForEachArray(market.storedBars(series, allTime), (page) =>
    Effect.sync(() => {
      count += page.length
      rows.update(rowBytes(page.map(({ bar }) => bar)))
      lineage.update(integers(page.map(lineageOf), 4))
    })
  )
  const revisions = createHash("sha256").update("tapestry.revisions.v1\n")
  let revised = 0
  yield* Stream.runForEachArray(market.revisions(series, allTime), (page) =>
    Effect.sync(() => {
      revised += page.length
      for (const revision of page) {
        revisions.update(integers([revisionOf(revision)], 8))
        if (revision.bar !== null) revisions.update(rowBytes([revision.bar]))
      }
    })
  )
  const intervals = yield* market.coverage(series, allTime)
  const coverage = createHash("sha256")
    .update("tapestry.coverage.v2\n")
    .update(integers(intervals.map(coverageOf), 11))
  const told = yield* market.actions(series, allTime, { own: true })
  const actions = createHash("sha256").update("tapestry.actions.v1\n")
  for (const action of told) actions.update(actionLine(action))
  return {
    rows: { count, sha256: rows.digest("hex") },
    lineage: lineage.digest("hex"),
    revisions: { count: revised, sha256: revisions.digest("hex") },
    coverage: { count: intervals.length, sha256: coverage.digest("hex") },
    actions: { count: told.length, sha256: actions.digest("hex") }
  }
})
