/** Has the rows that a gap left out, from the vendor's history: through the archive, under the quota that all share. */
import { Clock, Duration, Effect, type Scope, Stream } from "effect"
import { isComplete } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { StreamRow } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { Adapter } from "../../services/Adapter.ts"
import type { IngestSession } from "../../services/IngestSession.ts"
import type { Quota } from "../../services/Quota.ts"
import type { StitchingCache } from "../../services/StitchingCache.ts"
import type { StreamHistory } from "../../services/StreamCapability.ts"
import { historyPages } from "./historyPages.ts"
import { partsWithin } from "./partsWithin.ts"
import type { Filled } from "./topicParts.ts"

export interface RepairDeps {
  readonly ingest: IngestSession["Service"]
  readonly cache: StitchingCache["Service"]
  readonly quota: Quota["Service"]
}

/** How long the rows of a gap are waited for in all, in milliseconds, and how many may come. */
export interface RepairBounds {
  readonly patience: number
  readonly rows: number
}

/** Live consumers wait for these: before backfills, behind what somebody asked for just now. */
const priority = 5

type Part = Filled["parts"][number]
type Requests = Extract<StreamHistory, { readonly _tag: "requests" }>
type Series = Extract<StreamHistory, { readonly _tag: "series" }>

/** The parts of a range by what is proven of it. */
const partsOf = (range: TimeRange, proven: ReadonlyArray<TimeRange>, why: string): ReadonlyArray<Part> => {
  const had = Intervals.intersect([range], Intervals.normalise(proven))
  const missing = Intervals.subtract([range], had)
  return [...had.map((part) => ({ ...part, why: null })), ...missing.map((part) => ({ ...part, why }))].sort(
    (a, b) => a.start - b.start
  )
}

/** Neighbours of one reason as one. */
const joined = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  const joins: Array<Part> = []
  for (const part of parts) {
    const last = joins.at(-1)
    if (last !== undefined && last.why === part.why && last.end === part.start) {
      joins[joins.length - 1] = { ...last, end: part.end }
    } else joins.push(part)
  }
  return joins
}

const seconds = (millis: number): string => `${Math.ceil(millis / 1_000)} s`

const fromSeries = Effect.fnUntraced(function* (
  { cache }: RepairDeps,
  { series }: Series,
  range: TimeRange,
  { patience }: RepairBounds
) {
  const { waits } = yield* cache.plan({ series, range })
  if (waits > patience) {
    return {
      rows: [],
      parts: [{ ...range, why: `the vendor's budget is spent; it has room again in ${seconds(waits)}` }]
    }
  }
  const answer = yield* cache.read({ series, range }, { onMissing: "partial" })
  const rows: ReadonlyArray<StreamRow> = yield* Stream.runCollect(answer.bars)
  const parts = joined(
    answer.coverage.map(({ end, start, state }): Part => {
      if (isComplete(state)) return { start, end, why: null }
      const why =
        state._tag === "Missing"
          ? (state.cause?.message ?? "the vendor was not asked")
          : state._tag === "Throttled"
            ? (state.cause ?? "the vendor's budget is spent")
            : state._tag
      return { start, end, why }
    })
  )
  return { rows, parts }
})

const fromRequests = Effect.fnUntraced(function* (
  { ingest, quota }: RepairDeps,
  adapter: Pick<Adapter, "name" | "account">,
  history: Requests,
  range: TimeRange,
  from: EpochMillis,
  bounds: RepairBounds
) {
  const whole = { start: from, end: range.end + history.overlap }
  const first = yield* history.request(whole)
  const [waits = 0] = yield* quota.forecast(adapter.account, [{ weight: first.weight, keys: first.keys, priority }])
  if (waits > bounds.patience) {
    return {
      rows: [],
      parts: [{ ...range, why: `the vendor's budget is spent; it has room again in ${seconds(waits)}` }]
    }
  }
  const rows: Array<StreamRow> = []
  const proven: Array<TimeRange> = []
  const why = yield* historyPages(ingest, adapter.name, history, whole, first, priority).pipe(
    Stream.takeWhile(() => rows.length <= bounds.rows),
    Stream.runForEach(({ page }) =>
      Effect.sync(() => {
        // One by one: a page may have more rows than a call has room for arguments.
        for (const row of page.rows) rows.push(row)
        if (page.proves !== null) proven.push(page.proves)
      })
    ),
    Effect.map(() =>
      rows.length > bounds.rows ? `more than ${bounds.rows} rows are missing` : "the vendor's history ends before it"
    ),
    Effect.catch(({ message }) => Effect.succeed(message))
  )
  return { rows, parts: partsOf(range, proven, why) }
})

/** Never fails: what could not be had says why. `knownFrom`: rows before it would be told twice. */
export const repair = Effect.fn("MarketStreams.repair")(function* (
  deps: RepairDeps,
  adapter: Pick<Adapter, "name" | "account">,
  key: StreamKey,
  history: Exclude<StreamHistory, { readonly _tag: "told" }>,
  range: TimeRange,
  knownFrom: EpochMillis,
  bounds: RepairBounds
): Effect.fn.Return<Filled, never, Scope.Scope> {
  yield* Effect.annotateCurrentSpan({ vendor: key.vendor, kind: key.kind, symbol: key.symbol })
  // Not before the history has all of it.
  const now = yield* Clock.currentTimeMillis
  yield* Effect.sleep(Duration.millis(Math.max(0, range.end + history.overlap + history.delay - now)))
  const start = Math.max(range.start, knownFrom)
  const lost = { start: range.start, end: Math.min(start, range.end), why: "too many rows came in its last instant" }
  const asked = { start, end: range.end }
  const unhad = (why: string): Filled => ({ rows: [], parts: [{ ...asked, why }] })
  if (start >= range.end) return { rows: [], parts: [{ ...range, why: lost.why }] }
  const filling: Effect.Effect<Filled, { readonly message: string }, Scope.Scope> =
    history._tag === "series"
      ? fromSeries(deps, history, asked, bounds)
      : fromRequests(deps, adapter, history, asked, Math.max(knownFrom, start - history.overlap), bounds)
  const filled = yield* filling.pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(bounds.patience),
      orElse: () => Effect.succeed(unhad(`the history did not answer within ${seconds(bounds.patience)}`))
    }),
    Effect.catch(({ message }) => Effect.succeed(unhad(message))),
    Effect.catchDefect((defect) =>
      Effect.as(
        Effect.logError(`the history of ${key.vendor} failed`, defect),
        unhad("the adapter failed; the log says how")
      )
    )
  )
  const parts = partsWithin(asked, filled.parts)
  return { rows: filled.rows, parts: lost.start < lost.end ? [lost, ...parts] : parts }
})
