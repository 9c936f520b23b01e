/** A batch processor over an archive in a directory and a PostgreSQL database, which outlive the processes that use them. */
import { join } from "node:path"
import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { Layer, Redacted } from "effect"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import * as BatchProcessorLive from "../../../src/layers/batch/BatchProcessorLive.ts"
import * as ImportsLive from "../../../src/layers/imports/ImportsLive.ts"
import * as MarketStorePostgres from "../../../src/layers/market/postgres/MarketStorePostgres.ts"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import { recordSeries, trade } from "../../services/records/commits.ts"

export const capacity = 4_096

export const layersOver = (directory: string, url: string) =>
  BatchProcessorLive.layer({
    deadLetters: join(directory, "dead-letters.ndjson"),
    capacity,
    maxAge: "20 millis",
    retryCap: "200 millis",
    breakerOpenFor: "100 millis"
  }).pipe(
    Layer.provideMerge(ImportsLive.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        ProvenanceStoreSqlite.layer({ directory }),
        MarketStorePostgres.layer({ url: Redacted.make(url) }),
        AdapterRegistryInMemory.layer
      )
    ),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.orDie,
    Layer.fresh
  )

export const trades = { ...recordSeries("trade"), vendor: "acme" }

/** Seven to a microsecond, each with a number of its own. */
export const tradeAt = (index: number): Trade =>
  trade(1_700_000_000_000_000_000n + BigInt(Math.floor(index / 7)) * 1_000n, 100 + (index % 9), {
    sequence: index,
    size: index % 3 === 0 ? null : 0.5,
    conditions: index % 5 === 0 ? '@ "T" \\' : null
  })
