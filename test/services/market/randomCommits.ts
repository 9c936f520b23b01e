/** Random commits of one series in a random order, and the comparison of a store with the model after each of them. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import type { Bar } from "../../../src/domain/Bar.ts"
import type { StoredState } from "../../../src/domain/Coverage.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { type Commit, MarketStore } from "../../../src/services/MarketStore.ts"
import { bar, collect, commitOf, covered, empty, provisional, seriesOf } from "./commits.ts"
import { coverageOf, historyOf, knownAt } from "./model.ts"

const cells = 10
const width = 10

/** A random commit: segments of cells with a state, a row or none for each cell that may have one. */
interface Draft {
  readonly fetchedAt: number
  readonly again: boolean
  readonly from: number
  readonly segments: ReadonlyArray<{ readonly state: number; readonly length: number }>
  readonly rows: ReadonlyArray<{ readonly close: number; readonly volume: number | null } | null>
  readonly keep: boolean
}

interface DraftSet {
  readonly drafts: ReadonlyArray<Draft>
  readonly order: ReadonlyArray<number>
}

const randomDraft: fc.Arbitrary<Draft> = fc.record({
  fetchedAt: fc.integer({ min: 1, max: 5 }),
  again: fc.boolean(),
  from: fc.integer({ min: 0, max: cells - 1 }),
  segments: fc.array(
    fc.record({
      state: fc.constantFrom(0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6),
      length: fc.integer({ min: 1, max: 6 })
    }),
    { minLength: 1, maxLength: 3 }
  ),
  rows: fc.array(
    fc.option(fc.record({ close: fc.integer({ min: 1, max: 2 }), volume: fc.constantFrom(null, 1, 2) }), { freq: 3 }),
    { minLength: cells, maxLength: cells }
  ),
  keep: fc.boolean()
})

export const randomCommits: fc.Arbitrary<DraftSet> = fc
  .array(randomDraft, { minLength: 2, maxLength: 6 })
  .chain((drafts) =>
    fc.record({
      drafts: fc.constant(drafts),
      order: fc.shuffledSubarray(
        drafts.map((_, index) => index),
        { minLength: drafts.length, maxLength: drafts.length }
      )
    })
  )

const stateOf = (code: number, id: number): StoredState | null => {
  const response = ResponseId.make(id)
  switch (code) {
    case 0:
      return covered(id)
    case 1:
      return provisional(id, 7)
    case 2:
      return empty(id)
    case 3:
      return empty(id, 5)
    case 4:
      return { _tag: "NotFound", response, until: 3 }
    case 5:
      return { _tag: "NotEntitled", response, until: 4 }
    default:
      return null
  }
}

/** The drafts as commits of one series; `again` makes one a second reading of the bytes of the draft before it. */
const commitsOf = (series: SeriesKey, drafts: ReadonlyArray<Draft>): ReadonlyArray<Commit> => {
  const commits: Array<Commit> = []
  for (const [index, draft] of drafts.entries()) {
    const before = draft.again ? commits[index - 1] : undefined
    const id = before?.response ?? index + 1
    const coverage: Array<readonly [number, number, StoredState]> = []
    const bars: Array<Bar> = []
    let cell = draft.from
    for (const segment of draft.segments) {
      const end = Math.min(cells, cell + segment.length)
      const state = stateOf(segment.state, id)
      if (state !== null && cell < end) {
        coverage.push([cell * width, end * width, state])
        for (let at = cell; at < end; at++) {
          const row = draft.rows[at]
          const admits = state._tag === "Covered" || state._tag === "Provisional"
          if (admits && row != null) bars.push(bar(at * width, row.close, { volume: row.volume }))
        }
      }
      cell = end
    }
    commits.push(
      commitOf(series, id, bars, {
        fetchedAt: before?.fetchedAt ?? draft.fetchedAt * 1_000,
        decoderVersion: (before?.decoderVersion ?? 0) + 1,
        positions: bars.map((row) => index * 1_000 + row.ts),
        nulls: draft.keep ? "keep" : "overwrite",
        coverage
      })
    )
  }
  return commits
}

const allRange = { start: 0, end: cells * width }
const stamps = Array.from({ length: cells }, (_, cell) => cell * width)

export const featuresOf = ({ drafts, order }: DraftSet): ReadonlySet<string> => {
  const commits = commitsOf(seriesOf("features"), drafts)
  const features = new Set<string>()
  const histories = stamps.flatMap((ts) => historyOf(commits, ts).revisions)
  for (const { bar: value, kind } of histories) features.add(value === null ? "appeared" : kind)
  for (const [place, at] of order.entries()) {
    const commit = commits[at]
    const earlier = order.slice(0, place).map((index) => commits[index])
    if (commit !== undefined && earlier.some((other) => other !== undefined && other.fetchedAt > commit.fetchedAt)) {
      features.add("late")
    }
    if (commit?.nulls === "keep" && commit.bars.some((row) => row.volume === null)) features.add("kept nulls")
    if (commit !== undefined && commit.decoderVersion > 1) features.add("redecoded")
  }
  for (const { refusal } of coverageOf(commits, cells, width, Number.MAX_SAFE_INTEGER)) {
    if (refusal !== undefined) features.add("refused")
  }
  return features
}

export const checkAgainstModel = Effect.fnUntraced(function* (series: SeriesKey, { drafts, order }: DraftSet) {
  const store = yield* MarketStore
  const commits = commitsOf(series, drafts)
  const done: Array<Commit> = []
  const visible = () => stamps.flatMap((ts) => historyOf(done, ts).last?.bar ?? [])
  for (const at of order) {
    const commit = commits[at]
    if (commit === undefined) continue
    const before = new Map(visible().map((row) => [row.ts, row]))
    done.push(commit)
    const after = new Map(visible().map((row) => [row.ts, row]))
    const result = yield* store.commit(commit)
    const given = commit.bars.map((row) => row.ts)
    const differs = (ts: number) => JSON.stringify(before.get(ts)) !== JSON.stringify(after.get(ts))
    const inserted = given.filter((ts) => !before.has(ts) && after.has(ts)).length
    const updated = given.filter((ts) => before.has(ts) && after.has(ts) && differs(ts)).length
    const withdrawn = [...before.keys()].filter((ts) => !after.has(ts)).length
    assert.deepStrictEqual(
      { ...result },
      { inserted, updated, withdrawn, unchanged: given.length - inserted - updated, alreadyApplied: false }
    )
    assert.deepStrictEqual(yield* collect(store.bars(series, allRange)), [...after.values()])
    assert.deepStrictEqual(
      yield* store.coverage(series, allRange),
      coverageOf(done, cells, width, Number.MAX_SAFE_INTEGER)
    )
  }
  const histories = stamps.map((ts) => historyOf(commits, ts))
  const lineage = yield* Effect.forEach(stamps, (ts) => store.barAt(series, ts))
  assert.deepStrictEqual(
    lineage,
    histories.map(({ last }) => last)
  )
  const sortKey = (revision: { ts: number; recordedAt: number; response: number; position: number }) =>
    [revision.ts, revision.recordedAt, revision.response, revision.position].join()
  const sorted = <A extends Parameters<typeof sortKey>[0]>(revisions: ReadonlyArray<A>) =>
    revisions.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  const revisions = yield* collect(store.revisions(series, allRange))
  assert.deepStrictEqual(sorted(revisions), sorted(histories.flatMap((history) => history.revisions)))
  assert.deepStrictEqual(
    revisions.map(({ recordedAt, ts }) => [ts, recordedAt]),
    revisions
      .toSorted((a, b) => a.ts - b.ts || a.recordedAt - b.recordedAt)
      .map(({ recordedAt, ts }) => [ts, recordedAt])
  )
  for (const asOf of [999, 1_000, 2_000, 2_500, 3_000, 4_999, 5_000]) {
    const known = stamps.flatMap((ts) => knownAt(commits, ts, asOf) ?? [])
    assert.deepStrictEqual(yield* collect(store.bars(series, allRange, { asOf })), known)
    assert.deepStrictEqual(yield* store.coverage(series, allRange, { asOf }), coverageOf(commits, cells, width, asOf))
  }
})
