/**
 * A commit made ready: checked, in ascending order, one bar a stamp. Everything here happens before the transaction begins,
 * in slices with turns of the event loop between them.
 */
import { Effect } from "effect"
import { type Bar, type BarRules, defectOf } from "../../domain/Bar.ts"
import * as CorporateAction from "../../domain/CorporateAction.ts"
import type { Commit, MarketStoreError } from "../../services/MarketStore.ts"
import { admitsRows, assertsRows, encode, isFinal } from "./stateCode.ts"
import { invalidCoverage, invalidRow } from "./storeError.ts"

/** One coverage interval, its state as it is stored. */
export interface BatchInterval {
  readonly start: number
  readonly end: number
  readonly code: number
  readonly until: number | null
  readonly final: boolean
  readonly assertsRows: boolean
}

export interface CommitBatch {
  /** Ascending, distinct stamps; `positions` and `finals` (1 or 0) go with them. */
  readonly bars: ReadonlyArray<Bar>
  readonly positions: ReadonlyArray<number>
  readonly finals: Uint8Array
  /** Ascending and disjoint. */
  readonly intervals: ReadonlyArray<BatchInterval>
}

const sliceRows = 8_192

/** The coverage of a commit, checked and in order. */
export const intervalsOf = Effect.fnUntraced(function* (commit: Pick<Commit, "response" | "askedAt" | "coverage">) {
  const intervals: Array<BatchInterval> = []
  for (const { start, end, state } of commit.coverage) {
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start >= end) {
      return yield* invalidCoverage(`coverage from ${start} to ${end} is not a range of whole milliseconds`)
    }
    if (state.response !== commit.response) {
      return yield* invalidCoverage(
        `coverage from ${start} to ${end} names response ${state.response}, the commit is of response ${commit.response}`
      )
    }
    const { code, until } = encode(state, commit.askedAt ?? null)
    intervals.push({ start, end, code, until, final: isFinal(code, until), assertsRows: assertsRows(code) })
  }
  intervals.sort((a, b) => a.start - b.start)
  let last: BatchInterval | undefined
  for (const interval of intervals) {
    if (last !== undefined && interval.start < last.end) {
      return yield* invalidCoverage(
        `coverage from ${interval.start} to ${interval.end} overlaps that from ${last.start} to ${last.end}`
      )
    }
    last = interval
  }
  return intervals
})

interface Scan {
  readonly ascending: boolean
  readonly descending: boolean
}

const scan = Effect.fnUntraced(function* (commit: Commit) {
  const { bars, positions } = commit
  const rules: BarRules = { allowNonPositivePrices: commit.allowNonPositivePrices === true }
  let ascending = true
  let descending = true
  let previous = Number.NaN
  for (let from = 0; from < bars.length; from += sliceRows) {
    if (from > 0) yield* Effect.yieldNow
    const to = Math.min(bars.length, from + sliceRows)
    for (let index = from; index < to; index++) {
      const bar = bars[index]
      if (bar === undefined) return yield* invalidRow(index, Number.NaN, "there is no bar")
      const defect = defectOf(bar, rules)
      if (defect !== null) return yield* invalidRow(index, bar.ts, defect)
      if (!Number.isSafeInteger(positions[index])) return yield* invalidRow(index, bar.ts, "it has no position")
      if (bar.ts <= previous) ascending = false
      if (bar.ts >= previous) descending = false
      previous = bar.ts
    }
  }
  const found: Scan = { ascending, descending }
  return found
})

/** Indices of `bars` by stamp, equal stamps in the order they came; a merge sort that pauses between slices. */
const sortedIndices = Effect.fnUntraced(function* (bars: ReadonlyArray<Bar>) {
  const length = bars.length
  const stamps = Float64Array.from(bars, (bar) => bar.ts)
  const stamp = (index: number): number => stamps[index] ?? 0
  let source = Uint32Array.from({ length }, (_, index) => index)
  let target = new Uint32Array(length)
  for (let from = 0; from < length; from += sliceRows) {
    source.subarray(from, Math.min(length, from + sliceRows)).sort((a, b) => stamp(a) - stamp(b) || a - b)
    yield* Effect.yieldNow
  }
  for (let width = sliceRows; width < length; width *= 2) {
    let moved = 0
    for (let low = 0; low < length; low += 2 * width) {
      const middle = Math.min(length, low + width)
      const high = Math.min(length, low + 2 * width)
      let left = low
      let right = middle
      for (let at = low; at < high; at++) {
        const a = source[left] ?? 0
        const b = source[right] ?? 0
        const takeLeft = right >= high || (left < middle && stamp(a) <= stamp(b))
        target[at] = takeLeft ? a : b
        if (takeLeft) left++
        else right++
        if (++moved % (8 * sliceRows) === 0) yield* Effect.yieldNow
      }
    }
    const swap = source
    source = target
    target = swap
  }
  return source
})

const ordered = Effect.fnUntraced(function* (commit: Commit, found: Scan) {
  const { bars, positions } = commit
  if (found.ascending) return { bars, positions }
  const length = bars.length
  const indices = found.descending ? null : yield* sortedIndices(bars)
  const sorted: Array<Bar> = []
  const sortedPositions: Array<number> = []
  for (let at = 0; at < length; at++) {
    if (at > 0 && at % (4 * sliceRows) === 0) yield* Effect.yieldNow
    const index = indices === null ? length - 1 - at : (indices[at] ?? 0)
    const bar = bars[index]
    if (bar === undefined) continue
    const last = sorted.length - 1
    // Of equal stamps the one that came last wins, and the sort kept the order in which they came.
    const slot = sorted[last]?.ts === bar.ts ? last : last + 1
    sorted[slot] = bar
    sortedPositions[slot] = positions[index] ?? 0
  }
  return { bars: sorted, positions: sortedPositions }
})

const finalsOf = Effect.fnUntraced(function* (
  commit: Commit,
  bars: ReadonlyArray<Bar>,
  intervals: ReadonlyArray<BatchInterval>
) {
  const finals = new Uint8Array(bars.length)
  let at = 0
  for (let index = 0; index < bars.length; index++) {
    if (index > 0 && index % (8 * sliceRows) === 0) yield* Effect.yieldNow
    const ts = bars[index]?.ts ?? 0
    let interval = intervals[at]
    while (interval !== undefined && interval.end <= ts) interval = intervals[++at]
    if (interval === undefined || ts < interval.start || !admitsRows(interval.code)) {
      const given = commit.bars.findIndex((bar) => bar.ts === ts)
      return yield* invalidRow(
        given,
        ts,
        `no covered or provisional interval of its commit holds its stamp ${new Date(ts).toISOString()}`
      )
    }
    finals[index] = interval.final ? 1 : 0
  }
  return finals
})

/** Of corporate actions there are few: they are looked at in one go. */
const checkActions = Effect.fnUntraced(function* ({ actions }: Commit) {
  for (const [index, action] of (actions?.rows ?? []).entries()) {
    const defect =
      CorporateAction.defectOf(action) ??
      (Number.isSafeInteger(actions?.positions[index]) ? null : "it has no position")
    if (defect !== null) return yield* invalidRow(index, action.ts, `corporate action (${action.kind}): ${defect}`)
  }
})

export const prepare: (commit: Commit) => Effect.Effect<CommitBatch, MarketStoreError> = Effect.fnUntraced(
  function* (commit) {
    if (!Number.isSafeInteger(commit.fetchedAt)) {
      return yield* invalidCoverage(`the fetch time ${commit.fetchedAt} is not a whole number of milliseconds`)
    }
    const intervals = yield* intervalsOf(commit)
    yield* checkActions(commit)
    const found = yield* scan(commit)
    const { bars, positions } = yield* ordered(commit, found)
    return { bars, positions, finals: yield* finalsOf(commit, bars, intervals), intervals }
  }
)
