/**
 * The StitchingCache of another process, over the RPC: whoever yields the service need not know who fetches.
 *
 * Errors are those that the other process had. What only a remote cache knows (no connection, one that broke, a refusal at the
 * border) is CacheUnavailable, which says whether repeating the call can help. Nothing is repeated here.
 */
import { Effect, Layer, Stream } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import { isDerived } from "../../domain/derivedTimeframes.ts"
import { isTickSeries, type Tick, type TickSeries } from "../../domain/records/TickSeries.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import { derivedRows } from "../../layers/stitching/derivedRows.ts"
import { MarketStore, type SeriesMark } from "../../services/MarketStore.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import {
  CacheUnavailable,
  noTicks,
  type RangeAnswer,
  type ReadOptions,
  StitchingCache,
  StitchingCacheError,
  type TickAnswer
} from "../../services/StitchingCache.ts"
import type { RangeReport, ReadEvent } from "../contract/RangeReport.ts"
import { type CallError, isPassing } from "./callError.ts"
import { TapestryClient } from "./TapestryClient.ts"

const asServiceError = (error: CallError<StitchingCacheError>): StitchingCacheError =>
  error._tag === "StitchingCacheError"
    ? error
    : new StitchingCacheError({ reason: new CacheUnavailable({ again: isPassing(error), message: error.message }) })

const noAnswer = new StitchingCacheError({
  reason: new CacheUnavailable({ again: false, message: "the call ended without an answer" })
})

/** The rows of an answer, as it was known at `asOf`, and as the generation has them that its report is about. */
type Rows = (
  report: RangeReport,
  read: { readonly asOf?: EpochMillis } & Partial<SeriesMark>
) => Stream.Stream<Bar, StitchingCacheError>

const knownAt = (asOf: EpochMillis | undefined) => (asOf === undefined ? {} : { asOf })
const of = ({ cuts, generation }: Pick<RangeReport, "generation" | "cuts">): Partial<SeriesMark> => ({
  ...(generation === undefined ? {} : { generation }),
  ...(cuts === undefined ? {} : { cuts })
})
const derivedIf = ({ derived }: ReadOptions) => (derived === undefined ? {} : { derived })

/** As {@link Rows}, of trades and quotes. */
type TickRows = (
  series: TickSeries,
  range: TimeRange,
  read: { readonly asOf?: EpochMillis }
) => Stream.Stream<Tick, StitchingCacheError>

const make = Effect.fnUntraced(function* (rows: Rows, tickRows: TickRows) {
  const client = yield* TapestryClient

  const answerOf = (report: RangeReport, asOf: EpochMillis | undefined): RangeAnswer => ({
    ...report,
    bars: rows(report, { ...knownAt(asOf), ...of(report) })
  })

  const ticksOf = (report: RangeReport, series: TickSeries, asOf: EpochMillis | undefined): TickAnswer => ({
    ...report,
    rows: tickRows(series, report.range, knownAt(asOf))
  })

  /** Passes progress on and waits for the answer. */
  const answered = Effect.fnUntraced(function* <A>(
    events: Stream.Stream<ReadEvent, CallError<StitchingCacheError>>,
    { progress }: Pick<ReadOptions, "progress">,
    of: (report: RangeReport) => A
  ) {
    let answer: A | null = null
    yield* Stream.runForEach(events, (event) => {
      if (event._tag === "Progress") return progress?.(event) ?? Effect.void
      answer = of(event.report)
      return Effect.void
    }).pipe(Effect.mapError(asServiceError))
    return answer === null ? yield* noAnswer : answer
  })

  const missing = ({ onMissing }: Pick<ReadOptions, "onMissing">) => (onMissing === undefined ? {} : { onMissing })

  return StitchingCache.of({
    resolve: (vendor, query) => Effect.mapError(client["Series.resolve"]({ vendor, query }), asServiceError),
    plan: (query) => Effect.mapError(client["Series.plan"](query), asServiceError),
    read: (query, options = {}) =>
      answered(
        client["Series.read"]({
          ...query,
          ...missing(options),
          ...knownAt(options.asOf),
          ...of(options),
          ...derivedIf(options)
        }),
        options,
        (report) => answerOf(report, options.asOf)
      ),
    ticks: ({ series, ...query }, options = {}) =>
      isTickSeries(series)
        ? answered(
            client["Series.read"]({ ...query, series, ...missing(options), ...knownAt(options.asOf) }),
            options,
            (report) => ticksOf(report, series, options.asOf)
          )
        : Effect.fail(new StitchingCacheError({ reason: noTicks(series) })),
    execute: (plan, options = {}) =>
      answered(
        // What was known at an instant, or what a generation has, is read, and nothing of the plan is executed.
        options.asOf === undefined && options.generation === undefined
          ? client["Series.execute"]({ plan, ...missing(options), ...derivedIf(options) })
          : client["Series.read"]({
              series: plan.series,
              range: plan.range,
              policy: plan.policy,
              ...missing(options),
              ...knownAt(options.asOf),
              ...of(options),
              ...derivedIf(options)
            }),
        options,
        (report) => answerOf(report, options.asOf)
      ),
    coverage: (series, range, options = {}) =>
      Stream.runCollect(client["Series.coverage"]({ series, range, ...options })).pipe(Effect.mapError(asServiceError)),
    actions: (series, range, options = {}) =>
      Effect.mapError(client["Series.actions"]({ series, range, ...options }), asServiceError),
    diff: (series, range, [from, to]) =>
      Stream.mapError(client["Series.diff"]({ series, range, between: [from, to] }), asServiceError),
    invalidate: (series, range) => Effect.mapError(client["Series.invalidate"]({ series, range }), asServiceError),
    refetch: (series) =>
      client["Series.refetch"]({ series }).pipe(
        Effect.map((report) => answerOf(report, undefined)),
        Effect.mapError(asServiceError)
      ),
    explain: (series, ts, options = {}) =>
      Effect.mapError(client["Series.explain"]({ series, ts, ...options }), asServiceError),
    rebuild: (options = {}) => Stream.mapError(client["Series.rebuild"](options), asServiceError),
    forget: (series) => Effect.mapError(client["Series.forget"]({ series }), asServiceError)
  })
})

const told = (
  client: TapestryClient["Service"],
  kind: TickSeries["kind"],
  query: Parameters<(typeof client)["Series.trades"]>[0]
): Stream.Stream<Tick, CallError<StitchingCacheError>> =>
  kind === "trade" ? client["Series.trades"](query) : client["Series.quotes"](query)

/** All of it over the RPC: rows come as a stream of the other process. */
export const layer: Layer.Layer<StitchingCache, never, TapestryClient> = Layer.effect(
  StitchingCache,
  Effect.flatMap(TapestryClient, (client) =>
    make(
      ({ derived, range, series }, read) =>
        client["Series.bars"]({
          series,
          range,
          policy: "cacheOnly",
          onMissing: "partial",
          ...read,
          ...(derived === undefined ? {} : { derived: true })
        }).pipe(Stream.mapError(asServiceError)),
      (series, range, read) =>
        Stream.mapError(
          told(client, series.kind, { series, range, policy: "cacheOnly", onMissing: "partial", ...read }),
          asServiceError
        )
    )
  )
)

/**
 * Of an owner on the same machine, with its data directory at hand: rows are read from the store itself, so that an owner that
 * goes away after the answer does no harm.
 */
export const layerBesideStore: Layer.Layer<StitchingCache, never, TapestryClient | MarketStore | RecordStore> =
  Layer.effect(
    StitchingCache,
    Effect.flatMap(Effect.all([MarketStore, RecordStore]), ([store, records]) =>
      make(
        ({ coverage, derived, range, series }, read) =>
          (derived === undefined
            ? store.bars(series, range, read)
            : Stream.unwrap(
                Effect.map(
                  isDerived(series.timeframe) ? store.derived(series, series.timeframe, read) : Effect.succeed(null),
                  (made) => (made === null ? Stream.empty : derivedRows(made, coverage))
                )
              )
          ).pipe(Stream.mapError((reason) => new StitchingCacheError({ reason }))),
        (series, range, read) =>
          Stream.mapError(records.rows(series, range, read), (reason) => new StitchingCacheError({ reason }))
      )
    )
  )
