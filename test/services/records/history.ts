/** History of records: revisions, reads as of an instant, withdrawals, and that the order of commits does not matter. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { Signal } from "../../../src/domain/records/Signal.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { type RecordCommit, RecordStore } from "../../../src/services/RecordStore.ts"
import { collect, everything } from "../market/commits.ts"
import { type ProvideRecords, recordSeries, recordsOf, signal, trade } from "./commits.ts"

const series = recordSeries("signal")
type Commit = RecordCommit<"signal">

interface Word {
  readonly by: Commit
  readonly value: number | null
  readonly position: number
}

/** What a commit says of one signal at one instant; undefined when nothing. */
const said = (commit: Commit, ts: number, name: string): Word | undefined => {
  const index = commit.rows.findLastIndex((row) => row.ts === ts && row.name === name)
  const row = commit.rows[index]
  if (row !== undefined) return { by: commit, value: row.value, position: commit.positions[index] ?? -1 }
  return commit.coverage.some(({ end, start }) => start <= ts && ts < end)
    ? { by: commit, value: null, position: -1 }
    : undefined
}

/** Brute force: the words about one identity in the order of knowledge, each unlike the one before. */
const chainOf = (commits: ReadonlyArray<Commit>, ts: number, name: string): ReadonlyArray<Word> => {
  const chain: Array<Word> = []
  for (const commit of [...commits].sort((a, b) => a.fetchedAt - b.fetchedAt || a.response - b.response)) {
    const word = said(commit, ts, name)
    const last = chain[chain.length - 1]
    if (word === undefined || word.value === (last?.value ?? null)) continue
    chain.push(word)
  }
  return chain
}

const instants = [0, 1, 2, 3]
const names = ["a", "b"]

const arbitraryCommit = fc.record({
  rows: fc.array(
    fc.record({
      ts: fc.constantFrom(...instants),
      name: fc.constantFrom(...names),
      value: fc.integer({ min: 1, max: 2 })
    }),
    { maxLength: 5 }
  ),
  covers: fc.option(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 }))),
  hour: fc.integer({ min: 1, max: 4 })
})

const arbitraryHistory = fc.array(arbitraryCommit, { minLength: 2, maxLength: 7 }).chain((commits) =>
  fc.tuple(
    fc.constant(
      commits.map(({ covers, hour, rows }, index) =>
        recordsOf(
          series,
          index + 1,
          rows.map(({ name, ts, value }): Signal => signal(ts, name, value)),
          { fetchedAt: hour * 1_000, covers: covers === null ? [] : [[covers[0], covers[0] + covers[1]]] }
        )
      )
    ),
    fc.shuffledSubarray(
      commits.map((_, index) => index),
      { minLength: commits.length }
    )
  )
)

const checkAgainstModel = Effect.fnUntraced(function* (commits: ReadonlyArray<Commit>) {
  const store = yield* RecordStore
  const stored = yield* collect(store.storedRows(series, everything))
  const expected = instants.flatMap((ts) =>
    names.flatMap((name) => {
      const last = chainOf(commits, ts, name).at(-1)
      return last === undefined || last.value === null
        ? []
        : [[ts, name, last.value, last.by.response, last.position, last.by.fetchedAt]]
    })
  )
  assert.deepStrictEqual(
    stored.map(({ lineage, row }) => [
      row.ts,
      row.name,
      row.value,
      lineage.response,
      lineage.position,
      lineage.recordedAt
    ]),
    expected
  )
  const revisions = yield* collect(store.revisions(series, everything))
  const past = instants.flatMap((ts) =>
    names.flatMap((name) => {
      const chain = chainOf(commits, ts, name)
      return chain.flatMap((word, index) => {
        const next = chain[index + 1]
        if (word.value === null || next === undefined) return []
        const kind = next.value === null ? "withdrawn" : "corrected"
        return [[ts, name, word.value, kind, word.by.response, word.position, next.by.fetchedAt, next.by.response]]
      })
    })
  )
  assert.sameDeepMembers(
    revisions.map(({ kind, lineage, row, supersededAt, supersededBy }) => [
      row.ts,
      row.name,
      row.value,
      kind,
      lineage.response,
      lineage.position,
      supersededAt,
      supersededBy
    ]),
    past
  )
  for (const asOf of [500, 1_000, 2_500, 3_000, 9_000]) {
    const known = commits.filter(({ fetchedAt }) => fetchedAt <= asOf)
    const rows = yield* collect(store.rows(series, everything, { asOf }))
    assert.deepStrictEqual(
      rows.map(({ name, ts, value }) => [ts, name, value]),
      instants.flatMap((ts) =>
        names.flatMap((name) => {
          const value = chainOf(known, ts, name).at(-1)?.value ?? null
          return value === null ? [] : [[ts, name, value]]
        })
      )
    )
  }
  return revisions.length
})

export const recordHistoryContract = (provide: ProvideRecords): void => {
  it.effect("X5: a correction leaves a revision, and the row can be read as it was known", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const told = recordSeries("trade")
      const bust = trade(1_500_000n, 9, { sequence: 1 })
      const right = trade(1_500_000n, 8, { sequence: 1 })
      yield* store.commit(recordsOf(told, 1, [bust], { covers: [[0, 10]] }))
      yield* store.commit(recordsOf(told, 2, [right], { covers: [[0, 10]] }))
      yield* store.commit(recordsOf(told, 3, [], { covers: [[1, 2]] }))
      const read = (asOf: number) => collect(store.rows(told, everything, { asOf }))
      assert.deepStrictEqual(yield* read(999), [])
      assert.deepStrictEqual(yield* read(1_000), [bust])
      assert.deepStrictEqual(yield* read(2_000), [right])
      assert.deepStrictEqual(yield* read(3_000), [])
      const revisions = yield* collect(store.revisions(told, everything))
      assert.deepStrictEqual(
        revisions.map(({ kind, row, supersededAt }) => [kind, row.price, supersededAt]),
        [
          ["corrected", 9, 2_000],
          ["withdrawn", 8, 3_000]
        ]
      )
      const coverage = yield* (yield* MarketStore).coverage(told, everything)
      assert.deepStrictEqual(
        coverage.map(({ end, start, state }) => [start, end, state._tag === "Covered" ? state.response : null]),
        [
          [0, 1, 2],
          [1, 2, 3],
          [2, 10, 2]
        ]
      )
    }).pipe(provide)
  )

  it.effect("rows outside coverage are added: what else is stored there stays", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      yield* store.commit(recordsOf(series, 1, [signal(1, "a", 1)]))
      assert.deepInclude(yield* store.commit(recordsOf(series, 2, [signal(1, "b", 1)])), { inserted: 1, withdrawn: 0 })
      assert.strictEqual(yield* store.count(series, everything), 2)
    }).pipe(provide)
  )

  it("whatever the order of commits, rows, lineage, revisions and reads as of an instant are those of the model", async () => {
    const seen = { cases: 0, revised: 0, late: 0, covered: 0 }
    const property = fc.asyncProperty(arbitraryHistory, ([commits, order]) =>
      Effect.gen(function* () {
        const store = yield* RecordStore
        for (const index of order) {
          const commit = commits[index]
          if (commit !== undefined) yield* store.commit(commit)
        }
        const revisions = yield* checkAgainstModel(commits)
        seen.cases++
        seen.revised += revisions > 0 ? 1 : 0
        seen.late += order.some((at, index) => index > 0 && at < (order[index - 1] ?? 0)) ? 1 : 0
        seen.covered += commits.some(({ coverage }) => coverage.length > 0) ? 1 : 0
      }).pipe(provide, Effect.runPromise)
    )
    await fc.assert(property, { numRuns: 150 })
    for (const share of ["revised", "late", "covered"] as const) assert.isAtLeast(seen[share], 40, share)
  }, 120_000)

  it.effect("a commit long after, of an answer long before, changes the past and not the present", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      yield* store.commit(recordsOf(series, 5, [signal(1, "a", 5)]))
      assert.deepInclude(yield* store.commit(recordsOf(series, 2, [signal(1, "a", 2), signal(2, "a", 2)])), {
        unchanged: 1,
        inserted: 1
      })
      const [row] = yield* collect(store.storedRows(series, everything))
      assert.deepInclude(row?.lineage, { response: ResponseId.make(5) })
      assert.deepStrictEqual(yield* collect(store.rows(series, everything, { asOf: 2_000 })), [
        signal(1, "a", 2),
        signal(2, "a", 2)
      ])
    }).pipe(provide)
  )
}
