/**
 * The brute-force model of a MarketStore: keeps every commit as it came and works out each answer anew, stamp by stamp and
 * millisecond cell by cell. Slow, and as near to the words of docs/store.md as it can be written.
 */
import type { Bar } from "../../../src/domain/Bar.ts"
import type { StoredCoverage, StoredState } from "../../../src/domain/Coverage.ts"
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

const refuses = (state: StoredState | undefined) => state?._tag === "NotFound" || state?._tag === "NotEntitled"

/**
 * Coverage of `[0, cells)` in cells of `width` milliseconds, by those commits that were fetched by `asOf`. In each cell the newest
 * answer holds, but for a refusal, which only stands beside what is covered or empty.
 */
export const coverageOf = (
  commits: ReadonlyArray<Commit>,
  cells: number,
  width: number,
  asOf: number
): ReadonlyArray<StoredCoverage> => {
  const known = commits.filter((commit) => commit.fetchedAt <= asOf).sort(inOrder)
  const found: Array<StoredCoverage & { readonly from: ReadonlyArray<unknown> }> = []
  for (let cell = 0; cell < cells; cell++) {
    const start = cell * width
    const newest = (wanted: (state: StoredState) => boolean) => {
      const at = known.findLastIndex((candidate) => {
        const state = stateAt(candidate, start)
        return state !== undefined && wanted(state)
      })
      const interval = known[at]?.coverage.find((one) => one.start <= start && start < one.end)
      return interval === undefined ? null : { at, interval, recordedAt: known[at]?.fetchedAt ?? 0 }
    }
    const answer = newest((state) => !refuses(state))
    const refusal = newest(refuses)
    const isNewer = refusal !== null && (answer === null || refusal.at > answer.at)
    const stays = answer?.interval.state._tag === "Covered" || answer?.interval.state._tag === "Empty"
    const holds = isNewer && !stays ? refusal : answer
    if (holds === null) continue
    const beside = isNewer && stays ? refusal : null
    const from = [holds.interval, beside?.interval]
    const before = found[found.length - 1]
    if (before?.end === start && before.from.every((part, index) => part === from[index])) {
      found[found.length - 1] = { ...before, end: start + width }
      continue
    }
    const said = beside?.interval.state
    found.push({
      start,
      end: start + width,
      state: holds.interval.state,
      recordedAt: holds.recordedAt,
      ...(said?._tag === "NotFound" || said?._tag === "NotEntitled"
        ? {
            refusal: { tag: said._tag, response: said.response, until: said.until, recordedAt: beside?.recordedAt ?? 0 }
          }
        : {}),
      from
    })
  }
  return found.map(({ from: _, ...interval }) => interval)
}
