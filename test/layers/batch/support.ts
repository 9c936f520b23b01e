/** A batch processor over the real archive and store, between which and it stands a switch. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import type { RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import type { BatchOptions } from "../../../src/layers/batch/BatchOptions.ts"
import * as BatchProcessorLive from "../../../src/layers/batch/BatchProcessorLive.ts"
import type { BatchProcessor, BatchRow } from "../../../src/services/BatchProcessor.ts"
import { Imports, ImportsError } from "../../../src/services/Imports.ts"
import { InvalidRow, MarketStoreError, StoreUnavailable } from "../../../src/services/MarketStore.ts"
import { recordSeries, signal } from "../../services/records/commits.ts"
import { fresh } from "../imports/support.ts"

/** What stands between the processor and the store. */
export interface Switch {
  /** The store cannot be had. */
  away: boolean
  /** The store refuses every batch that has a row of this name. */
  poison: string | null
  /** How often the store was asked, and how many rows each time. */
  readonly asked: Array<number>
  /** Runs before the store does. */
  before: Effect.Effect<void>
}

export class StoreSwitch extends Context.Service<StoreSwitch, Switch>()("test/StoreSwitch") {}

const unavailable = new ImportsError({
  reason: new MarketStoreError({ reason: new StoreUnavailable({ message: "the store is away" }) })
})

const switched = Layer.effect(
  Imports,
  Effect.gen(function* () {
    const imports = yield* Imports
    const at = yield* StoreSwitch
    return Imports.of({
      ...imports,
      rows: (session, given) =>
        Effect.suspend(() => {
          const rows = given.batches.flatMap((batch) => batch.rows)
          at.asked.push(rows.length)
          if (at.away) return Effect.fail(unavailable)
          if (rows.some((row) => "name" in row && row.name === at.poison)) {
            const reason = new InvalidRow({ index: 0, ts: 0, message: `${at.poison} violates a rule of the database` })
            return Effect.fail(new ImportsError({ reason: new MarketStoreError({ reason }) }))
          }
          return Effect.andThen(at.before, imports.rows(session, given))
        })
    })
  })
)

export const deadLettersOf = (file: string): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-batch-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** `use` gets the processor's layer, which is closed when the layer's scope is, and the file of dead letters. */
export const withProcessor = <A, E>(
  options: Partial<BatchOptions>,
  use: (
    layer: Layer.Layer<BatchProcessor, never, Imports>,
    file: string
  ) => Effect.Effect<A, E, Imports | StoreSwitch | Layer.Success<typeof fresh>>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = join(yield* temporary, "dead-letters.ndjson")
      const layer = BatchProcessorLive.layer({ ...options, deadLetters: file }).pipe(
        Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
        Layer.fresh
      )
      return yield* use(layer, file)
    })
  ).pipe(
    Effect.provide(
      switched.pipe(
        Layer.provideMerge(fresh),
        Layer.provideMerge(
          Layer.sync(StoreSwitch, () => ({ away: false, poison: null, asked: [], before: Effect.void }))
        )
      )
    )
  )

export const series: RecordSeries<"signal"> = { ...recordSeries("signal"), vendor: "acme" }
export const row = (index: number, name = "a"): BatchRow => ({ series, row: signal(index, name, index) })
