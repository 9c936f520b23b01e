/**
 * The brute-force model of a MarketStore: keeps every commit as it came and works out each answer anew, stamp by stamp and
 * millisecond cell by cell. Slow, and as near to the words of docs/store.md as it can be written.
 */
import type { Bar } from "../../../src/domain/Bar.ts"
import type { StoredCoverage } from "../../../src/domain/Coverage.ts"
import type { Revision } from "../../../src/domain/Revision.ts"
import type { Commit, StoredBar } from "../../../src/services/MarketStore.ts"

const inOrder = (a: Commit, b: Commit): number =>
  a.fetchedAt - b.fetchedAt || a.response - b.response || a.decoderVersion - b.decoderVersion

interface Word {
  readonly by: Commit
  bar: Bar | null
  final: boolean
  readonly position: number
}

const equal = (a: Bar | null, b: Bar | null): boolean => {
  if (a === null || b === null) return a === b
  const key = ({ open, high, low, close, volume, vwap, count }: Bar) =>
    JSON.stringify([open, high, low, close, volume, vwap, count])
  return key(a) === key(b)
}

const stateAt = (commit: Commit, ts: number) =>
  commit.coverage.find((interval) => interval.start <= ts && ts < interval.end)?.state

/** What a commit says about a stamp; undefined when nothing. */
const said = (commit: Commit, ts: number): Word | undefined => {
  const state = stateAt(commit, ts)
  if (state === undefined || state._tag === "NotFound" || state._tag === "NotEntitled") return undefined
  const index = commit.bars.findLastIndex((bar) => bar.ts === ts)
  return {
    by: commit,
    bar: commit.bars[index] ?? null,
    final: state._tag === "Covered" || (state._tag === "Empty" && state.recheckAfter === null),
    position: commit.positions[index] ?? -1
  }
}

const keepNulls = (bar: Bar, before: Bar | null): Bar =>
  before === null
    ? bar
    : {
        ...bar,
        volume: bar.volume ?? before.volume,
        vwap: bar.vwap ?? before.vwap,
        count: bar.count ?? before.count
      }

interface StampHistory {
  readonly last: StoredBar | null
  readonly revisions: ReadonlyArray<Revision>
}

/** The history of one stamp under these commits. */
export const historyOf = (commits: ReadonlyArray<Commit>, ts: number): StampHistory => {
  let last: Word | undefined
  const revisions: Array<Revision> = []
  for (const commit of [...commits].sort(inOrder)) {
    const word = said(commit, ts)
    if (word === undefined) continue
    if (word.bar !== null && commit.nulls === "keep") word.bar = keepNulls(word.bar, last?.bar ?? null)
    if (last === undefined) {
      last = word
      continue
    }
    if (equal(last.bar, word.bar)) {
      last.final = last.final || word.final
      continue
    }
    const revise = (kind: Revision["kind"], from: Word) =>
      revisions.push({
        ts,
        bar: from.bar,
        kind,
        response: from.by.response,
        position: from.position,
        recordedAt: from.by.fetchedAt,
        supersededAt: commit.fetchedAt,
        supersededBy: commit.response
      })
    if (last.bar !== null && word.bar === null) revise("withdrawn", last)
    else if (last.final) revise("corrected", last)
    else if (last.bar !== null && word.final) revise("finalised", last)
    last = word
  }
  const bar = last?.bar ?? null
  return {
    last:
      last === undefined || bar === null
        ? null
        : {
            bar,
            final: last.final,
            lineage: {
              response: last.by.response,
              position: last.position,
              decoderVersion: last.by.decoderVersion,
              recordedAt: last.by.fetchedAt
            }
          },
    revisions
  }
}

/** The bar that was known at an instant. */
export const knownAt = (commits: ReadonlyArray<Commit>, ts: number, asOf: number): Bar | null => {
  const { last, revisions } = historyOf(commits, ts)
  if (last !== null && last.lineage.recordedAt <= asOf) return last.bar
  return revisions.find((found) => found.recordedAt <= asOf && asOf < found.supersededAt)?.bar ?? null
}

/** Coverage of `[0, cells)` in cells of `width` milliseconds, by those commits that were fetched by `asOf`. */
export const coverageOf = (
  commits: ReadonlyArray<Commit>,
  cells: number,
  width: number,
  asOf: number
): ReadonlyArray<StoredCoverage> => {
  const known = commits.filter((commit) => commit.fetchedAt <= asOf).sort(inOrder)
  const found: Array<StoredCoverage & { readonly from: unknown }> = []
  for (let cell = 0; cell < cells; cell++) {
    const start = cell * width
    const commit = known.findLast((candidate) => stateAt(candidate, start) !== undefined)
    const from = commit?.coverage.find((interval) => interval.start <= start && start < interval.end)
    if (commit === undefined || from === undefined) continue
    const before = found[found.length - 1]
    if (before?.from === from && before.end === start) found[found.length - 1] = { ...before, end: start + width }
    else found.push({ start, end: start + width, state: from.state, recordedAt: commit.fetchedAt, from })
  }
  return found.map(({ from: _, ...interval }) => interval)
}
