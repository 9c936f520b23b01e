/** The whole way of a range over a fresh data directory and model vendors: store, archive, quota, session, stitching cache. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Fiber, FileSystem, Layer, Redacted, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Bar } from "../../../src/domain/Bar.ts"
import type { CoverageInterval } from "../../../src/domain/Coverage.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import * as CalendarLive from "../../../src/layers/calendar/CalendarLive.ts"
import * as IngestSessionLive from "../../../src/layers/ingest/IngestSessionLive.ts"
import { RetryPolicy } from "../../../src/layers/ingest/RetryPolicy.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../src/layers/market/postgres/MarketStorePostgres.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "../../../src/layers/quota/QuotaSqlite.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import * as StitchingCacheLive from "../../../src/layers/stitching/StitchingCacheLive.ts"
import type { Adapter } from "../../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import type { RangeAnswer } from "../../../src/services/StitchingCache.ts"
import { overnightRules } from "../../support/calendars.ts"

const registered = (adapters: ReadonlyArray<Adapter>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      for (const adapter of adapters) yield* Effect.orDie(registry.register(Effect.succeed(adapter)))
    })
  ).pipe(Layer.provideMerge(AdapterRegistryInMemory.layer))

/** Pauses of half a second, without jitter, so that tests can tell when what happens. */
const pauses = Layer.succeed(RetryPolicy, { attempts: 4, base: 1_000, cap: 500, patience: 60_000 })

/** All services over a directory that exists. */
export const over = (
  directory: string,
  adapters: ReadonlyArray<Adapter>,
  {
    files = NodeFileSystem.layer,
    payloadLimit,
    postgres,
    ...options
  }: {
    readonly maxPageCount?: number
    readonly readonly?: boolean
    readonly payloadLimit?: number
    readonly files?: Layer.Layer<FileSystem.FileSystem>
    /** The URL of a database that has the rows, in the place of market.sqlite. */
    readonly postgres?: string
  } = {}
) =>
  StitchingCacheLive.layer.pipe(
    Layer.provideMerge(Layer.provide(IngestSessionLive.layer, pauses)),
    Layer.provideMerge(
      Layer.mergeAll(
        ProvenanceStoreSqlite.layer({
          directory,
          readonly: options.readonly === true,
          ...(payloadLimit === undefined ? {} : { payloadLimit })
        }),
        postgres === undefined
          ? MarketStoreSqlite.layer({ filename: `${directory}/market.sqlite`, ...options })
          : Layer.orDie(MarketStorePostgres.layer({ url: Redacted.make(postgres) })),
        QuotaSqlite.layer({ filename: `${directory}/quota.sqlite` }),
        registered(adapters),
        CalendarLive.layerWith([overnightRules])
      )
    ),
    Layer.provide(Layer.merge(files, NodePath.layer)),
    Layer.fresh
  )

/** A directory that is removed when the test ends. */
export const temporaryDirectory = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  fs.makeTempDirectoryScoped({ prefix: "tapestry-stitching-" })
).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)

/** All services over a directory of their own. */
export const fresh = (...adapters: ReadonlyArray<Adapter>) =>
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => over(directory, adapters)))

/**
 * Runs an effect and moves the clock on, step by step, until it has ended: for pauses and waits whose length is not the point.
 * One that never ends dies.
 */
export const moving = <A, E, R>(effect: Effect.Effect<A, E, R>, step = 250): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let turns = 0; fiber.pollUnsafe() === undefined; turns++) {
      if (turns === 20_000) return yield* Effect.die(new Error(`still waiting after ${turns} turns of ${step} ms`))
      yield* settled
      if (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(step)
    }
    return yield* Fiber.join(fiber)
  })

/** Lets everything run that does not wait for the clock; the archive commits on a turn of the event loop. */
export const settled = Effect.callback<void>((resume) => {
  let turns = 4
  const turn = () => {
    turns--
    if (turns === 0) resume(Effect.void)
    else setImmediate(turn)
  }
  setImmediate(turn)
})

export const barsOf = (answer: RangeAnswer) => Stream.runCollect(answer.bars)

export const utc = (text: string): number => Date.parse(text)
export const between = (start: string, end: string): TimeRange => ({ start: utc(start), end: utc(end) })

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** A report as text, one state a line without the ids of responses: `2024-01-01T00:00:00.000Z Covered`. */
export const outline = (coverage: ReadonlyArray<CoverageInterval>): ReadonlyArray<string> =>
  coverage.map(({ start, state }) => `${new Date(start).toISOString()} ${state._tag}`)

export const stampsOf = (bars: ReadonlyArray<Bar>): ReadonlyArray<string> =>
  bars.map((bar) => new Date(bar.ts).toISOString())
