import { Effect, FiberSet, type Scope, Semaphore } from "effect"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { Calendar } from "../../services/Calendar.ts"
import { IngestSession } from "../../services/IngestSession.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { Quota } from "../../services/Quota.ts"
import { RecordStore } from "../../services/RecordStore.ts"
import * as Desks from "./Desks.ts"
import { DiskRoom } from "./DiskRoom.ts"
import { MaxAnswerRows } from "./MaxAnswerRows.ts"
import { ScratchStore } from "./ScratchStore.ts"
import type * as SeriesDesk from "./SeriesDesk.ts"

/** What the parts of the stitching cache work with. */
export interface CacheContext {
  readonly market: MarketStore["Service"]
  readonly records: RecordStore["Service"]
  readonly archive: ProvenanceStore["Service"]
  readonly ingest: IngestSession["Service"]
  readonly registry: AdapterRegistry["Service"]
  readonly quota: Quota["Service"]
  readonly calendars: Calendar["Service"]
  readonly maxAnswerRows: number
  readonly disk: DiskRoom | null
  /** The desk of a series, by canonical key, for as long as somebody works at it and a little longer. */
  readonly deskOf: (text: string) => Effect.Effect<SeriesDesk.SeriesDesk, never, Scope.Scope>
  /** An empty store that nobody else sees. */
  readonly scratch: Effect.Effect<MarketStore["Service"], MarketStoreError, Scope.Scope>
  /** One rebuild at a time. */
  readonly rebuilding: Semaphore.Semaphore
  /** Runs in the layer's scope, not the caller's; closing the layer interrupts it. */
  readonly detach: (run: Effect.Effect<void>) => Effect.Effect<void>
}

export const make = Effect.gen(function* () {
  const runs = yield* FiberSet.make<void>()
  const context: CacheContext = {
    market: yield* MarketStore,
    records: yield* RecordStore,
    archive: yield* ProvenanceStore,
    ingest: yield* IngestSession,
    registry: yield* AdapterRegistry,
    quota: yield* Quota,
    calendars: yield* Calendar,
    maxAnswerRows: yield* MaxAnswerRows,
    disk: yield* DiskRoom,
    deskOf: Desks.make(),
    rebuilding: yield* Semaphore.make(1),
    scratch: Effect.map(yield* ScratchStore, ({ market }) => market),
    detach: (run) => Effect.asVoid(FiberSet.run(runs, run, { startImmediately: true }))
  }
  return context
})
