/**
 * Several vendors for one series, over the StitchingCache.
 *
 * Responsibilities: the parts that a vendor refuses, for reasons that the query names, are read from the next one; every part and
 * every bar says whose it is. Queueing: vendors are asked one after another, since what the next one is asked for is what the one
 * before it did not give; the parts of one vendor beside each other, four at a time.
 *
 * Hard cases: vendors that mean something else by the same words (another adjustment, session or price) are refused before
 * anything is asked, or rows would jump where one vendor takes over from the other. A vendor without such a series gives nothing,
 * as if it had said NotFound of the whole range. Bars are read from the store by the pieces of the answer: a row that another
 * read brings to a vendor's series meanwhile does not appear in a piece of another vendor. A series that is replaced as a whole
 * between two parts of it (a refetch) is read again, so that all that is given of it is of one generation; the bars are of the
 * generation that the pieces are of.
 */
import { Effect, Layer, Stream } from "effect"
import { type CoverageInterval, type CoverageState, isComplete } from "../../domain/Coverage.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { GenerationId } from "../../services/MarketStore.ts"
import {
  DifferentSeries,
  type FailoverReason,
  failoverReasons,
  type PreferredPiece,
  type PreferredQuery,
  PreferredVendors,
  PreferredVendorsError,
  type Refused,
  type SourcedBar
} from "../../services/PreferredVendors.ts"
import {
  RangeIncomplete,
  type ReadOptions,
  StitchingCache,
  StitchingCacheError
} from "../../services/StitchingCache.ts"
import { differenceOf } from "../reconcile/comparison.ts"

const failure = (reason: PreferredVendorsError["reason"]) => new PreferredVendorsError({ reason })

const reasonOf = (state: CoverageState): FailoverReason | null => {
  switch (state._tag) {
    case "Throttled":
    case "NotEntitled":
    case "NotFound":
      return state._tag
    case "Missing":
      return state.cause?.tag === "Unavailable" || state.cause?.tag === "NotFound" || state.cause?.tag === "NotEntitled"
        ? state.cause.tag
        : null
    default:
      return null
  }
}

/** A part of the range that is still looked for, with what was said of it so far. */
interface Open extends TimeRange {
  readonly refused: ReadonlyArray<Refused>
}

/** How the vendors have the series: in the same terms, or not at all. */
const noSeries = (message: string): CoverageState => ({ _tag: "Missing", cause: { tag: "NotFound", message } })

const concurrency = 4

/** How often a series that was replaced between two of its parts is read again. */
const maxOvertaken = 3

const make = Effect.gen(function* () {
  const cache = yield* StitchingCache

  const resolved = Effect.fnUntraced(function* ({ query, vendors }: PreferredQuery) {
    const found = yield* Effect.forEach(vendors, ({ symbol, vendor }) =>
      cache.resolve(vendor, { ...query, symbol }).pipe(
        Effect.map((series) => ({ vendor, series, state: null })),
        Effect.catchReason("StitchingCacheError", "VendorError", (error) =>
          error.reason._tag === "NotFound" || error.reason._tag === "Unsupported"
            ? Effect.succeed({ vendor, series: null, state: noSeries(error.message) })
            : Effect.fail(new StitchingCacheError({ reason: error }))
        )
      )
    )
    let first: SeriesKey | null = null
    for (const { series } of found) {
      if (series === null) continue
      const difference = first === null ? null : differenceOf(first, series)
      if (difference !== null) {
        return yield* new DifferentSeries({ message: `the vendors do not have the same series: ${difference}` })
      }
      first ??= series
    }
    return found
  })

  /** One round over the vendors: who gives which part, and of each vendor's series in which generations, with the fewest cuts that were seen of each. */
  const gather = Effect.fnUntraced(function* (
    vendors: Effect.Success<ReturnType<typeof resolved>>,
    range: TimeRange,
    query: Pick<PreferredQuery, "on" | "policy">,
    reading: Pick<ReadOptions, "asOf" | "progress">
  ) {
    const allowed = query.on ?? failoverReasons
    const pieces: Array<PreferredPiece> = []
    const generations = new Map<string, Map<GenerationId, number>>()
    let requests = 0
    let sharedRequests = 0
    let open: ReadonlyArray<Open> = [{ ...range, refused: [] }]
    for (const [index, { series, state, vendor }] of vendors.entries()) {
      const last = index === vendors.length - 1
      const next: Array<Open> = []
      const take = (part: Open, { end, start, state: said }: CoverageInterval) => {
        const reason = reasonOf(said)
        const goesOn = !last && !isComplete(said) && reason !== null && (series === null || allowed.includes(reason))
        if (goesOn) next.push({ start, end, refused: [...part.refused, { vendor, state: said }] })
        else pieces.push({ start, end, vendor, state: said, refused: part.refused })
      }
      if (series === null) {
        for (const part of open) take(part, { ...part, state: state ?? noSeries("it has no such series") })
      } else {
        const answers = yield* Effect.forEach(
          open,
          (part) =>
            Effect.map(
              cache.read(
                {
                  series,
                  range: { start: part.start, end: part.end },
                  ...(query.policy === undefined ? {} : { policy: query.policy })
                },
                { ...reading, onMissing: "partial" }
              ),
              (answer) => ({ part, answer })
            ),
          { concurrency }
        )
        const seen = new Map<GenerationId, number>()
        for (const { answer, part } of answers) {
          requests += answer.requests
          sharedRequests += answer.sharedRequests
          const { cuts = 0, generation } = answer
          if (generation !== undefined) seen.set(generation, Math.min(cuts, seen.get(generation) ?? cuts))
          for (const interval of answer.coverage) take(part, interval)
        }
        generations.set(vendor, seen)
      }
      open = next
    }
    pieces.sort((a, b) => a.start - b.start)
    return { pieces, generations, requests, sharedRequests }
  })

  const read: PreferredVendors["Service"]["read"] = Effect.fn("PreferredVendors.read")(function* (query, options = {}) {
    const { onMissing = "fail", ...reading } = options
    const vendors = yield* resolved(query)
    const timeframe = query.query.timeframe
    const range = timeframe === null ? query.range : (Timeframe.stamps(timeframe, query.range) ?? query.range)
    let gathered = yield* gather(vendors, range, query, reading)
    let { requests, sharedRequests } = gathered
    // Everything that is there is in the store by now.
    const again = { ...query, policy: query.policy === "cacheOnly" ? query.policy : ("cacheFirst" as const) }
    for (let turn = 0; turn < maxOvertaken; turn++) {
      if ([...gathered.generations.values()].every(({ size }) => size <= 1)) break
      gathered = yield* gather(vendors, range, again, reading)
      requests += gathered.requests
      sharedRequests += gathered.sharedRequests
    }
    const { generations, pieces } = gathered
    const holes = pieces.filter(({ state }) => !isComplete(state))
    if (onMissing === "fail" && holes.length > 0) {
      const named = holes.map(({ end, start, state }) => ({ start, end, state }))
      return yield* new StitchingCacheError({ reason: new RangeIncomplete({ holes: named }) })
    }
    const runs = runsOf(pieces)
    const asOf = options.asOf === undefined ? {} : { asOf: options.asOf }
    const stored = yield* Effect.forEach(
      runs,
      (run) => {
        const series = vendors.find(({ vendor }) => vendor === run.vendor)?.series ?? null
        const [seen] = generations.get(run.vendor) ?? []
        const pinned = seen === undefined ? {} : { generation: seen[0], cuts: seen[1] }
        return series === null
          ? Effect.succeedNone
          : Effect.asSome(
              Effect.map(
                cache.read({ series, range: run, policy: "cacheOnly" }, { onMissing: "partial", ...asOf, ...pinned }),
                (answer) => ({ vendor: run.vendor, answer })
              )
            )
      },
      { concurrency }
    )
    const given = stored.flatMap((one) => (one._tag === "Some" ? [one.value] : []))
    const bars = given.map(({ answer, vendor }) => Stream.map(answer.bars, (bar): SourcedBar => ({ ...bar, vendor })))
    return {
      range,
      series: vendors.map(({ series }) => series),
      pieces,
      rowCount: given.reduce((sum, { answer }) => sum + answer.rowCount, 0),
      requests,
      sharedRequests,
      bars: bars
        .reduce<Stream.Stream<SourcedBar, StitchingCacheError>>(
          (before, rows) => Stream.concat(before, rows),
          Stream.empty
        )
        .pipe(Stream.mapError(failure))
    }
  }, Effect.mapError(failure))

  return PreferredVendors.of({
    read,
    plan: Effect.fn("PreferredVendors.plan")(function* (query) {
      const allowed = query.on ?? failoverReasons
      const vendors = yield* resolved(query)
      const plans: Array<{
        vendor: string
        plan: Effect.Success<ReturnType<typeof cache.plan>>
        refused: ReadonlyArray<Refused>
      }> = []
      let open: ReadonlyArray<Open> = [{ ...query.range, refused: [] }]
      for (const [index, { series, state, vendor }] of vendors.entries()) {
        const last = index === vendors.length - 1
        const next: Array<Open> = []
        for (const part of open) {
          if (series === null) {
            next.push({
              ...part,
              refused: [...part.refused, { vendor, state: state ?? noSeries("it has no such series") }]
            })
            continue
          }
          const policy = query.policy === undefined ? {} : { policy: query.policy }
          const plan = yield* cache.plan({ series, range: { start: part.start, end: part.end }, ...policy })
          plans.push({ vendor, plan, refused: part.refused })
          if (last) continue
          for (const piece of plan.pieces) {
            const reason = reasonOf(piece.state)
            if (piece.from !== "store" || reason === null || !allowed.includes(reason)) continue
            next.push({
              start: piece.start,
              end: piece.end,
              refused: [...part.refused, { vendor, state: piece.state }]
            })
          }
        }
        open = next
      }
      return { range: query.range, plans }
    }, Effect.mapError(failure))
  })
})

/** Stretches that one vendor gives without a break; a hole ends one. */
const runsOf = (pieces: ReadonlyArray<PreferredPiece>): ReadonlyArray<TimeRange & { readonly vendor: string }> => {
  const runs: Array<TimeRange & { readonly vendor: string }> = []
  for (const { end, start, state, vendor } of pieces) {
    if (!isComplete(state)) continue
    const before = runs.at(-1)
    if (before !== undefined && before.vendor === vendor && before.end === start) {
      runs[runs.length - 1] = { vendor, start: before.start, end }
    } else runs.push({ vendor, start, end })
  }
  return runs
}

export const layer: Layer.Layer<PreferredVendors, never, StitchingCache> = Layer.effect(PreferredVendors, make)
