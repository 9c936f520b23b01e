/** The services over a directory of its own, and texts as they are imported. */
import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Stream } from "effect"
import * as ImportsLive from "../../../src/layers/imports/ImportsLive.ts"
import { importText } from "../../../src/layers/imports/importText.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import { type ImportSpec, Imports, type RejectedLine } from "../../../src/services/Imports.ts"

const files = Layer.merge(NodeFileSystem.layer, NodePath.layer)

/** Imports, the archive and the stores over a directory that is removed when the test ends. */
export const fresh = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-imports-" })
    return ImportsLive.layer.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          ProvenanceStoreSqlite.layer({ directory }),
          MarketStoreSqlite.layer({ filename: `${directory}/market.sqlite` }),
          AdapterRegistryInMemory.layer
        )
      )
    )
  })
).pipe(Layer.provide(files), Layer.orDie, Layer.fresh)

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
