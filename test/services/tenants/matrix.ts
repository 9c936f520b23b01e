/**
 * Two tenants of one store, method by method: what one of them does is nothing that the other could notice, and the numbers of one
 * (generations, jobs) are good for nothing in the hands of the other. The methods are those that the services have: one without a
 * row here fails.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, type Scope, Stream } from "effect"
import { ConfigKey } from "../../../src/domain/ConfigEntry.ts"
import { type JobConfiguration, JobId, nothingDone } from "../../../src/domain/Job.ts"
import type { DecodedActions } from "../../../src/services/Adapter.ts"
import { ApiConfig } from "../../../src/services/ApiConfig.ts"
import { JobLedger } from "../../../src/services/JobLedger.ts"
import { GenerationId, MarketStore } from "../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { bar, collect, commitOf, covered, everything, minute, seriesOf } from "../market/commits.ts"
import { recordSeries, recordsOf, trade } from "../records/commits.ts"

export type Services = MarketStore | RecordStore | JobLedger | ApiConfig

interface Stores {
  readonly bars: MarketStore["Service"]
  readonly records: RecordStore["Service"]
  readonly jobs: JobLedger["Service"]
  readonly config: ApiConfig["Service"]
}

/** What one tenant has, as nobody else should be able to use it. */
interface Known {
  readonly visible: GenerationId
  readonly building: GenerationId
  readonly job: JobId
}

type Told = Effect.Effect<unknown, unknown>
type Method = (stores: Stores, known: Known) => Told

const series = seriesOf("SPX")
const other = seriesOf("SPX", { vendor: "second" })
const trades = recordSeries("trade", "SPX")
const rows = (count: number, close: number) => Array.from({ length: count }, (_, at) => bar(at * minute, close))
const whole = (id: number) => ({ coverage: [[0, 10 * minute, covered(id)] as const] })
const range = { start: 3 * minute, end: 4 * minute }
const actions: DecodedActions = {
  rows: [{ kind: "split", ts: 86_400_000, numerator: 2, denominator: 1 }],
  positions: [7],
  complete: { start: 0, end: 10 * 86_400_000 }
}
const about: JobConfiguration = { provider: "model", mode: "backfill", symbols: ["SPX"], range: null }
const read = () => Effect.succeed(about)
const limits = ConfigKey.make("limits")
const all = { runner: "here", only: null, types: ["backfill"] }
const follows = { key: "follows", type: "backfill", payload: null }
const failed = { _tag: "failed", outcome: nothingDone, error: "away", retryAt: null } as const

/** Something of everything; `of` makes the values of one tenant differ from another's. */
const fill = Effect.fnUntraced(function* ({ bars, config, jobs, records }: Stores, of: number) {
  yield* config.set(limits, { of })
  yield* bars.commit(commitOf(series, 1, rows(10, of), { ...whole(1), actions }))
  yield* bars.commit(commitOf(series, 2, rows(10, of + 1), whole(2)))
  yield* bars.commit(commitOf(other, 3, rows(10, of), whole(3)))
  yield* bars.recordMismatches(series, other, [everything], [{ ts: 0, field: "close", left: of + 1, right: of }], 5_000)
  yield* bars.invalidate(series, { start: 20 * minute, end: 30 * minute }, 9_000, { operation: { id: 4, after: 3 } })
  yield* records.commit(recordsOf(trades, 4, [trade(1n, of), trade(2n, of)], { covers: [[0, minute]] }))
  yield* records.commit(recordsOf(trades, 5, [trade(1n, of + 1)], { covers: [[0, minute]] }))
  const building = yield* bars.beginGeneration(series)
  yield* bars.commit(commitOf(series, 6, rows(10, of + 2), { ...whole(6), generation: building }))
  const { job } = yield* jobs.enqueue({ key: "nightly", type: "backfill", payload: { of } })
  yield* jobs.claim(all, read)
  yield* jobs.enqueue({ key: "later", type: "backfill", payload: { of } })
  const visible = yield* bars.visibleGeneration(series)
  return { visible: visible ?? building, building, job: job.id } satisfies Known
})

/** What shows something of a store that has it, and how that looks where there is nothing. */
const reads: {
  readonly bars: Readonly<Record<string, Method>>
  readonly records: Readonly<Record<string, Method>>
  readonly jobs: Readonly<Record<string, Method>>
  readonly config: Readonly<Record<string, Method>>
} = {
  bars: {
    bars: ({ bars }) => collect(bars.bars(series, everything)),
    storedBars: ({ bars }) => collect(bars.storedBars(series, everything)),
    barAt: ({ bars }) => bars.barAt(series, 0),
    coverage: ({ bars }) => bars.coverage(series, everything),
    actions: ({ bars }) => bars.actions(series, everything),
    revisions: ({ bars }) => collect(bars.revisions(series, everything)),
    count: ({ bars }) => bars.count(series, everything),
    surroundings: ({ bars }) => bars.surroundings(series, range),
    visibleGeneration: ({ bars }) => bars.visibleGeneration(series),
    mark: ({ bars }) => bars.mark(series),
    applied: ({ bars }) => Effect.map(bars.applied(series, 1), (ids) => [...ids].sort()),
    lastOperation: ({ bars }) => bars.lastOperation(series),
    newestResponse: ({ bars }) => bars.newestResponse,
    witnesses: ({ bars }) => bars.witnesses,
    referencedResponses: ({ bars }) =>
      Effect.map(Stream.runCollect(bars.referencedResponses), (ids) => [...new Set(ids)].sort()),
    latest: ({ bars }) => bars.latest(),
    series: ({ bars }) => bars.series,
    mismatches: ({ bars }) => collect(bars.mismatches(series, other, everything))
  },
  records: {
    rows: ({ records }) => collect(records.rows(trades, everything)),
    storedRows: ({ records }) => collect(records.storedRows(trades, everything)),
    revisions: ({ records }) => collect(records.revisions(trades, everything)),
    count: ({ records }) => records.count(trades, everything),
    last: ({ records }) => records.last(trades),
    vendors: ({ records }) => records.vendors,
    freshness: ({ records }) => records.freshness
  },
  jobs: {
    list: ({ jobs }) => jobs.list(),
    stuck: ({ jobs }) => jobs.stuck(-1_000_000),
    upNext: ({ jobs }) => jobs.upNext(all)
  },
  config: {
    get: ({ config }) => config.get(limits),
    list: ({ config }) => config.list()
  }
}

/** Reads that are given a number; they tell as much of another tenant's as of one that nobody has: nothing, or that there is none. */
const numbered: typeof reads = {
  bars: {
    bars: ({ bars }, { visible }) => collect(bars.bars(series, everything, { generation: visible })),
    coverage: ({ bars }, { visible }) => bars.coverage(series, everything, { generation: visible }),
    count: ({ bars }, { visible }) => bars.count(series, everything, { generation: visible }),
    surroundings: ({ bars }, { visible }) => bars.surroundings(series, range, { generation: visible }),
    applied: ({ bars }, { building }) =>
      Effect.map(bars.applied(series, 1, { generation: building }), (ids) => [...ids])
  },
  records: {},
  jobs: {
    get: ({ jobs }, { job }) => jobs.get(job),
    runs: ({ jobs }, { job }) => jobs.runs(job),
    alive: ({ jobs }, { job }) => jobs.alive([job])
  },
  config: {}
}

/** What changes something; those that are given a number are tried with one's own, and with the other's. */
const writes: typeof reads = {
  bars: {
    commit: ({ bars }, { building }) =>
      Effect.andThen(
        Effect.exit(bars.commit(commitOf(series, 7, rows(10, 77), { ...whole(7), generation: building }))),
        bars.commit(commitOf(series, 8, rows(9, 70), { ...whole(8), jobs: [follows] }))
      ),
    commitAll: ({ bars }, { building }) =>
      Effect.andThen(
        Effect.exit(bars.commitAll([commitOf(series, 7, rows(10, 77), { ...whole(7), generation: building })])),
        bars.commitAll([commitOf(series, 8, rows(9, 70), whole(8)), commitOf(other, 9, rows(9, 70), whole(9))])
      ),
    invalidate: ({ bars }, { building }) =>
      Effect.andThen(
        bars.invalidate(series, everything, 99_000, { generation: building, operation: { id: 9, after: 8 } }),
        bars.invalidate(series, everything, 99_000)
      ),
    beginGeneration: ({ bars }) =>
      Effect.flatMap(bars.beginGeneration(series), (begun) => bars.publishGeneration(begun, 99_000)),
    publishGeneration: ({ bars }, { building }) => bars.publishGeneration(building, 99_000, { operation: 9 }),
    succeedGeneration: ({ bars }, { building }) =>
      Effect.flatMap(bars.beginGeneration(series, { apart: true }), (next) =>
        Effect.andThen(bars.succeedGeneration(building, next, 99_000), bars.publishGeneration(next, 99_000))
      ),
    replaceGenerations: ({ bars }, { building }) => bars.replaceGenerations([building], 9),
    dropGeneration: ({ bars }, { building }) => bars.dropGeneration(building),
    recordMismatches: ({ bars }) => bars.recordMismatches(series, other, [everything], [], 99_000),
    forget: ({ bars }) => bars.forget(series)
  },
  records: {
    commit: ({ records }) => records.commit(recordsOf(trades, 7, [trade(1n, 77)], { covers: [[0, minute]] })),
    commitAll: ({ records }) => records.commitAll([recordsOf(trades, 7, [trade(1n, 77)], { covers: [[0, minute]] })])
  },
  jobs: {
    enqueue: ({ jobs }) => jobs.enqueue({ key: "another", type: "backfill", payload: null }),
    cancel: ({ jobs }, { job }) => jobs.cancel(job),
    retry: ({ jobs }, { job }) => Effect.andThen(jobs.finish(job, 1, failed), jobs.retry(job)),
    cleanup: ({ jobs }, { job }) => Effect.andThen(Effect.exit(jobs.finish(job, 1, failed)), jobs.cleanup(9e12)),
    suspend: ({ jobs }) => jobs.suspend("here"),
    claim: ({ jobs }, { job }) => Effect.andThen(jobs.claim({ ...all, only: [job] }, read), jobs.claim(all, read)),
    beat: ({ jobs }, { job }) => jobs.beat(job, 1, { done: 3, of: 4, rows: 5, requests: 6 }),
    finish: ({ jobs }, { job }) => jobs.finish(job, 1, failed)
  },
  config: {
    set: ({ config }) => config.set(limits, "another"),
    unset: ({ config }) => config.unset(limits)
  }
}

/** What a store without TimescaleDB has for nobody. */
const without: typeof reads = {
  bars: { derived: ({ bars }) => bars.derived(series, "5m") },
  records: {},
  jobs: {},
  config: {}
}

const kinds = ["bars", "records", "jobs", "config"] as const
const titles = { bars: "MarketStore", records: "RecordStore", jobs: "JobLedger", config: "ApiConfig" }

/** Everything that can be seen of a store, also of the generation that is being built. */
const dump = Effect.fnUntraced(function* (stores: Stores, known: Known) {
  const seen: Array<unknown> = []
  for (const kind of kinds) {
    for (const [name, method] of [...Object.entries(reads[kind]), ...Object.entries(numbered[kind])]) {
      seen.push([name, yield* Effect.exit(method(stores, known))])
    }
  }
  seen.push(yield* Effect.exit(collect(stores.bars.bars(series, everything, { generation: known.building }))))
  return JSON.stringify(seen, (_, value) => (typeof value === "bigint" ? `${value}n` : value))
})

/** `pair`: the services of two tenants of one store without rows. */
export const tenantMatrix = (
  name: string,
  pair: Effect.Effect<readonly [Context.Context<Services>, Context.Context<Services>], never, Scope.Scope>
): void => {
  const stores = (context: Context.Context<Services>): Stores => ({
    bars: Context.get(context, MarketStore),
    records: Context.get(context, RecordStore),
    jobs: Context.get(context, JobLedger),
    config: Context.get(context, ApiConfig)
  })
  const both = Effect.map(pair, ([a, b]) => [stores(a), stores(b)] as const)

  describe(`two tenants (${name})`, () => {
    it.live("every method of the services has a row", () =>
      Effect.gen(function* () {
        const [store] = yield* both
        for (const kind of kinds) {
          const methods = Object.entries(store[kind]).filter(([, value]) => typeof value !== "boolean")
          const inMatrix = new Set([reads, numbered, writes, without].flatMap((rows) => Object.keys(rows[kind])))
          assert.deepStrictEqual(methods.map(([method]) => method).sort(), [...inMatrix].sort(), titles[kind])
        }
      })
    )

    it.live("what one has written, the other does not see, and nothing that it reads by the other's numbers", () =>
      Effect.gen(function* () {
        const [a, b] = yield* both
        const nobody: Known = {
          visible: GenerationId.make(999),
          building: GenerationId.make(999),
          job: JobId.make("00000000-0000-0000-0000-000000000000")
        }
        const told = (method: Method, of: Stores, known: Known) =>
          Effect.map(Effect.exit(method(of, known)), (exit) =>
            JSON.stringify(exit, (_, value) => (typeof value === "bigint" ? `${value}n` : value))
              .replaceAll(/\b999\b|00000000-0000-0000-0000-000000000000/g, "number")
              .replaceAll(known.job, "number")
              .replaceAll(new RegExp(`generation (${known.visible}|${known.building})\\b`, "g"), "generation number")
          )
        const empty = new Map<string, string>()
        const every = kinds.flatMap((kind) =>
          [...Object.entries(reads[kind]), ...Object.entries(numbered[kind])].map(
            ([method, run], at) => [`${titles[kind]}.${method} ${at}`, run] as const
          )
        )
        for (const [title, run] of every) empty.set(title, yield* told(run, b, nobody))
        const known = yield* fill(a, 100)
        for (const [title, run] of every) {
          assert.strictEqual(yield* told(run, b, known), empty.get(title), title)
          assert.notStrictEqual(yield* told(run, a, known), empty.get(title), `${title} shows what is one's own`)
        }
      })
    )

    for (const kind of kinds) {
      it.live(`${titles[kind]}: no write of one changes what the other has, whosever numbers it is given`, () =>
        Effect.gen(function* () {
          for (const [method, run] of Object.entries(writes[kind])) {
            yield* Effect.scoped(
              Effect.gen(function* () {
                const [a, b] = yield* both
                const ofA = yield* fill(a, 100)
                const ofB = yield* fill(b, 500)
                const before = yield* dump(a, ofA)
                const title = `${titles[kind]}.${method}`
                // With the numbers of the other: whether it fails or does nothing, the other has what it had.
                yield* Effect.exit(run(b, ofA))
                assert.strictEqual(yield* dump(a, ofA), before, `${title} with foreign numbers`)
                yield* Effect.exit(run(b, ofB))
                assert.strictEqual(yield* dump(a, ofA), before, title)
                const exit = yield* Effect.exit(run(a, ofA))
                assert.strictEqual(exit._tag, "Success", `${title}: ${JSON.stringify(exit)}`)
                assert.notStrictEqual(yield* dump(a, ofA), before, `${title} does something`)
              })
            )
          }
        })
      )
    }
  })
}
