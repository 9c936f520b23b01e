/** The services over a directory of its own, and texts as they are imported. */
import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Redacted, Stream } from "effect"
import * as ImportsLive from "../../../src/layers/imports/ImportsLive.ts"
import { importText } from "../../../src/layers/imports/importText.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../src/layers/market/postgres/MarketStorePostgres.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import { type ImportSpec, Imports, type RejectedLine } from "../../../src/services/Imports.ts"
import type { MarketStore } from "../../../src/services/MarketStore.ts"
import type { RecordStore } from "../../../src/services/RecordStore.ts"
import { freshDatabase } from "../../support/postgres.ts"

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** Imports and the archive over a directory that is removed when the test ends, and the store that `market` makes. */
const freshOver = <E, R>(
  market: (directory: string) => Effect.Effect<Layer.Layer<MarketStore | RecordStore, E>, never, R>
) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-imports-" })
      return ImportsLive.layer.pipe(
        Layer.provideMerge(
          Layer.mergeAll(
            ProvenanceStoreSqlite.layer({ directory }),
            yield* market(directory),
            AdapterRegistryInMemory.layer
          )
        )
      )
    })
  ).pipe(Layer.provide(files), Layer.orDie, Layer.fresh)

/** Over the embedded store. */
export const fresh = freshOver((directory) =>
  Effect.succeed(MarketStoreSqlite.layer({ filename: `${directory}/market.sqlite` }))
)

/** Over PostgreSQL. */
export const freshPostgres = freshOver(() =>
  Effect.map(freshDatabase, (url) => MarketStorePostgres.layer({ url: Redacted.make(url) }))
)

const nothingSaid: ImportSpec["defaults"] = {
  vendor: "acme",
  dataset: null,
  symbol: "SPY",
  timeframe: null,
  price: null,
  session: null,
  currency: null,
  adjustment: null
}

export const specOf = (
  parts: Partial<Omit<ImportSpec, "defaults">> & { readonly defaults?: Partial<ImportSpec["defaults"]> } = {}
): ImportSpec => ({
  name: "test",
  kind: "trade",
  format: "ndjson",
  header: null,
  delimiter: ",",
  nullToken: "",
  symbolCase: "upper",
  nulls: "overwrite",
  unknownColumns: "refuse",
  rejects: "skip",
  ...parts,
  defaults: { ...nothingSaid, ...parts.defaults }
})

/** Imports a text in one piece, or in pieces of `size` bytes; gives what it did, and the rows that were not accepted. */
export const importing = Effect.fnUntraced(function* (
  text: string | Uint8Array,
  spec: ImportSpec = specOf(),
  size = Number.POSITIVE_INFINITY
) {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text
  const pieces: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
  const rejected: Array<RejectedLine> = []
  const tally = yield* importText({
    imports: yield* Imports,
    spec,
    text: Stream.fromIterable(pieces),
    progress: (_, lines) => Effect.sync(() => rejected.push(...lines))
  })
  return { ...tally, rejectedLines: rejected }
})
